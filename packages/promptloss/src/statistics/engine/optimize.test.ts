import { describe, expect, test } from "vitest";
import { minimize, minimizeNear, type Objective } from "./optimize.ts";

function at(value: number, ...gradient: number[]) {
  return { value, gradient: Float64Array.from(gradient) };
}

const rosenbrock: Objective = ([x, y]) =>
  at(
    (1 - x!) ** 2 + 100 * (y! - x! ** 2) ** 2,
    -2 * (1 - x!) - 400 * x! * (y! - x! ** 2),
    200 * (y! - x! ** 2),
  );

test("Rosenbrock's valley ends at (1, 1), with its Hessian", () => {
  const found = minimize(rosenbrock, Float64Array.of(-1.2, 1))!;
  expect(found.converged).toBe(true);
  expect(found.x[0]).toBeCloseTo(1, 5);
  expect(found.x[1]).toBeCloseTo(1, 5);
  const exact = [802, -400, -400, 200];
  // Central differences with a step of 1e-4 of a third derivative of 1e3.
  for (const [i, h] of found.hessian.entries()) expect(h).toBeCloseTo(exact[i]!, 2);
});

test("a saddle is left, even from on top of it", () => {
  const saddle: Objective = ([x, y]) => at((x! ** 2 - 1) ** 2 + y! ** 2, 4 * x! * (x! ** 2 - 1), 2 * y!);
  const found = minimize(saddle, Float64Array.of(0, 0))!;
  expect(found.converged).toBe(true);
  expect(Math.abs(found.x[0]!)).toBeCloseTo(1, 5);
});

describe("where the function has no value", () => {
  test("the edge of the domain is stepped back from", () => {
    const found = minimize(
      ([x]) => (x! > 0 ? at(x! - Math.log(x!), 1 - 1 / x!) : undefined),
      Float64Array.of(5),
    )!;
    expect(found.x[0]).toBeCloseTo(1, 4);
  });

  test("a lone point is returned as not converged", () => {
    const lone = minimize(([x]) => (x === 2 ? at(1, 1) : undefined), Float64Array.of(2))!;
    expect(lone).toMatchObject({ converged: false, value: 1, curvature: undefined });
  });

  test("a start without one gives nothing", () => {
    expect(minimize(() => undefined, Float64Array.of(1))).toBeUndefined();
  });
});

test("what can't be reached within the steps allowed is said to be so", () => {
  const short = minimize(rosenbrock, Float64Array.of(-1.2, 1), { iterations: 3 })!;
  expect(short.converged).toBe(false);
  expect(short.iterations).toBeLessThanOrEqual(4);
});

test("near a minimum a like function's Hessian is enough", () => {
  const { hessian } = minimize(rosenbrock, Float64Array.of(0.9, 0.8))!;
  const found = minimizeNear(rosenbrock, Float64Array.of(0.95, 0.9), hessian)!;
  // A thousandth of a standard error.
  expect(found.x[0]).toBeCloseTo(1, 2);
});
