import { describe, expect, test } from "vitest";
import { secondsLeft } from "./status.ts";

const done = { status: "done", seconds: { training: 60, whole: 100 } } as const;
const waiting = { status: "waiting" } as const;

describe("the time that is left", () => {
  test("counts evaluation as well as training", () => {
    const halfway = { status: "running", phase: "training", step: 5, steps: 10 } as const;
    expect(secondsLeft([done, halfway, waiting])).toBe(70 + 100);
    const evaluating = { status: "running", phase: "evaluating", step: 10, steps: 10 } as const;
    expect(secondsLeft([done, evaluating, waiting])).toBe(40 + 100);
  });

  test("is shared by the cells that run", () => {
    const begun = { status: "running", phase: "training" } as const;
    expect(secondsLeft([done, begun, begun, waiting, waiting])).toBe(200);
  });

  test("is unknown before a cell is done, and where none runs", () => {
    expect(secondsLeft([{ status: "running" }, waiting])).toBeUndefined();
    expect(secondsLeft([done, waiting])).toBeUndefined();
  });
});
