// Process groups over real processes of this machine: two to four ranks, and what becomes of the others where one dies.
import { expect, test } from "vitest";
import { needs } from "../../../test/needs.ts";
import { distributedBackends } from "../src/distributed/index.ts";
import { runRanks } from "./support/ranks.ts";

const groups = needs("processGroups", distributedBackends().includes("gloo"));

groups.describe("a process group", () => {
  test.each([2, 3])("of %i ranks reduces, scatters, gathers, broadcasts", async (size) => {
    const ranks = await runRanks(size, "collectives");
    const total = (size * (size + 1)) / 2;
    for (const [rank, { value, error, stderr }] of ranks.entries()) {
      expect(error, stderr).toBeUndefined();
      expect(value).toEqual({
        sum: Array(4).fill(total),
        most: [size - 1, 0],
        several: [Array(3).fill(total), Array(4).fill(10 * (total - size))],
        halves: Array(4).fill(total),
        rounded: size === 2 ? [256, 256] : [258, 258],
        scattered: ["bfloat16", [size === 2 ? 256 : 258]],
        moved: ["bfloat16", "int16", "bool"].map((dtype) => {
          const of = (from: number): number[] => [dtype === "bool" ? Math.min(from, 1) : from, 0, 1];
          const all = Array.from({ length: size }, (_, from) => of(from)).flat();
          return [dtype, all, dtype, of(size - 1)];
        }),
        sent: [7, 7, 7],
        gathered: [[size, 2], Array.from({ length: size }, (_, from) => [from, from + 0.5]).flat()],
        part: [2 * rank * total, (2 * rank + 1) * total],
      });
    }
  });

  test("goes on with operations while the ranks do other things", async () => {
    for (const { value, error, stderr } of await runRanks(3, "begun")) {
      expect(error, stderr).toBeUndefined();
      expect(value).toEqual({ gathered: [1, 1, 1, 2, 2, 2, 3, 3, 3], summed: Array(6).fill(6) });
    }
  });

  test("gathers anew what a graph has recorded, after its memory was given back", async () => {
    for (const { value, error, stderr } of await runRanks(2, "kept")) {
      expect(error, stderr).toBeUndefined();
      expect(value).toEqual({ byInputs: [1, 1, 2, 2], byWeight: [3, 3, 3, 3] });
    }
  });

  test("gives all ranks the same bits, and those again in another run", async () => {
    const [first, second] = [await runRanks(3, "bits"), await runRanks(3, "bits")];
    expect(first[0]!.value).toMatch(/^[A-Za-z0-9+/=]{4000}$/);
    expect(new Set([...first, ...second].map(({ value }) => value)).size).toBe(1);
  });

  test("refuses what cannot travel, before anything does", async () => {
    for (const { value } of await runRanks<string[]>(2, "refused")) {
      expect(value![0]).toContain("must be contiguous");
      expect(value![1]).toContain("must be a multiple of the 2 processes, got [3]");
      expect(value![2]).toContain("there is no rank 9 among 2");
      expect(value![3]).toContain("of [2] of each of 2 processes into [3]");
      expect(value![4]).toContain("only memory of libtorch's own, from its beginning");
    }
  });

  test("writes as operators do: a backward pass that needs what was there fails", async () => {
    for (const { value } of await runRanks<string>(2, "recorded"))
      expect(value).toContain("modified by an inplace operation");
  });
});

groups.describe("a rank at fault ends the others", () => {
  const TIMEOUT = 12;

  async function faults(what: string, awaits: number[]) {
    const ends = await runRanks(4, what, { seconds: TIMEOUT, awaits });
    for (const { error, stderr } of ends) {
      expect(error, stderr).toBeDefined();
      expect(error!.peers).toEqual([1]);
    }
    return ends.map(({ error }) => error!);
  }

  test("where it is killed", async () => {
    for (const { message, operation, rank, name } of await faults("killed", [0, 2, 3])) {
      expect(name).toBe("ProcessGroupError");
      expect(operation).toMatch(/^all-reduce \d+$/);
      expect(message).toMatch(
        new RegExp(
          `^rank ${rank} of 4, ${operation}: rank 1 gives no sign of life any more \\(.*, process \\d+\\)$`,
        ),
      );
    }
  });

  test("where it hangs with its connections open", async () => {
    for (const { message } of await faults("hanging", [0, 2, 3]))
      expect(message).toContain("rank 1 gives no sign of life any more");
  });

  test("where it says why it stops", async () => {
    for (const { message } of await faults("leaving", [0, 2, 3]))
      expect(message).toMatch(/: rank 1 stopped: the disk is full$/);
  });

  test("where it lives and does not come", async () => {
    for (const { message } of await faults("late", [0, 2, 3]))
      expect(message).toContain(`rank 1 lives, and did not come to all-reduce 2 within ${TIMEOUT} s`);
  });

  test("where rank 0, which keeps the store, is killed", async () => {
    for (const { error, stderr } of await runRanks(3, "killedFirst", { seconds: TIMEOUT, awaits: [1, 2] })) {
      expect(error, stderr).toMatchObject({ peers: [0], name: "ProcessGroupError" });
      expect(error!.message).toContain("rank 0 has ended or hangs: its store at 127.0.0.1:");
    }
  });

  test("where rank 0 never comes", async () => {
    const [one] = await runRanks(2, "collectives", { seconds: 2, starts: [1] });
    expect(one!.error).toMatchObject({ rank: 1, peers: [0], operation: "init" });
    expect(one!.error!.message).toMatch(
      /^rank 1 of 2, init: can't reach the group's store at 127\.0\.0\.1:\d+: /,
    );
  });

  test("where another never comes", async () => {
    const [zero] = await runRanks(3, "collectives", { seconds: 2, starts: [0] });
    expect(zero!.error).toMatchObject({ rank: 0, peers: [1, 2], operation: "init" });
    expect(zero!.error!.message).toContain("rank 1 and rank 2 did not come to 127.0.0.1:");
  });
});
