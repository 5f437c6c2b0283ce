import { describe, expect, test } from "vitest";
import {
  allocatorWords,
  loadWords,
  quietMachine,
  sidesEnvironment,
} from "../../../bench/src/lib/conditions.ts";

describe("a measurement", () => {
  test("is refused on a busy machine, with the remedy, and says so where it was forced", () => {
    quietMachine({ load: 0.7, cores: 2 });
    expect(() => quietMachine({ load: 0.8, cores: 2 })).toThrow(
      "the machine is busy: load average 0.8 on 2 cores, and figures mean something up to 0.7. Wait until it is quiet; --force",
    );
    expect(loadWords([9, 3], 2)).toBe(
      "load average 9.0 before, 3.0 after, so the machine was busy with other work and the speeds say little",
    );
    expect(loadWords([0.2, 2], 2)).toBe("load average 0.2 before, 2.0 after");
  });

  test("gives every side the same threads and allocator", () => {
    const { OMP_NUM_THREADS, MALLOC_TRIM_THRESHOLD_ } = sidesEnvironment("tuned", 3);
    expect([OMP_NUM_THREADS, MALLOC_TRIM_THRESHOLD_]).toEqual(["3", "17179869184"]);
    expect(sidesEnvironment("as it comes", 3).MALLOC_TRIM_THRESHOLD_).toBe(
      process.env.MALLOC_TRIM_THRESHOLD_,
    );
    expect(allocatorWords()).toContain("as it comes");
  });
});
