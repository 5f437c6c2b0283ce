// `promptloss study work`: any number of workers share a study, and what one leaves the others take.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, test } from "vitest";
import { promptloss, startPromptloss } from "../command.ts";
import { type TrainingFolder, trainingFolder } from "../training-folder.ts";

let folder: TrainingFolder;
beforeAll(() => {
  folder = trainingFolder();
});
afterAll(() => folder.remove());

interface StudyLine {
  readonly type: string;
  readonly cell: { readonly id: string } | string;
  readonly state?: { readonly state: string };
}

test("of four workers one is killed, and every cell is done once", { timeout: 600_000 }, async () => {
  const file = join(folder.path, "shared.yaml");
  const recipe =
    "{ model: model, data: rows.json, maxLength: 256, evaluation: { rows: 4 }, checkpoints: { every: 2, keep: 1 }, training: { steps: 30, batchSize: 4, threads: 1 } }";
  writeFileSync(
    file,
    `recipe: ${recipe}\nfactors: { plw: [0, 0.1, 0.5, 1], seed: [1, 2] }\noutput: ${join(folder.path, "shared")}\n`,
  );
  const lines: (StudyLine & { worker: number })[] = [];
  let killed: string | undefined;
  const workers = Array.from({ length: 4 }, (_, worker) => {
    const child = startPromptloss(["study", "work", file, "--events"]);
    createInterface({ input: child.stdout! }).on("line", (text) => {
      const line = JSON.parse(text) as StudyLine;
      lines.push({ ...line, worker });
      if (worker !== 0 || line.type !== "training" || killed !== undefined) return;
      const { event } = line as unknown as { event: { type: string; step: number } };
      if (event.type !== "step" || event.step < 3) return;
      killed = line.cell as string;
      child.kill("SIGKILL");
    });
    return new Promise<number | null>((resolve) => child.once("close", resolve));
  });
  const codes = await Promise.all(workers);
  expect(killed).toBeDefined();
  expect(codes).toEqual([null, 0, 0, 0]);
  const { counts, cells } = JSON.parse(promptloss(["study", "status", file, "--json"]).stdout);
  expect(counts).toEqual({ waiting: 0, running: 0, done: 8, failed: 0 });
  const ends = lines
    .filter(({ type }) => type === "cell-end")
    .map(({ cell, state, worker }) => ({
      id: (cell as { id: string }).id,
      state: state!.state,
      worker,
    }));
  // By its own worker, or of the one that was killed by another; by nobody twice.
  expect(ends.map(({ id }) => id).sort()).toEqual((cells as { id: string }[]).map(({ id }) => id).sort());
  expect(new Set(ends.map(({ state }) => state))).toEqual(new Set(["done"]));
  expect(ends.find(({ id }) => id === killed)!.worker).not.toBe(0);
  for (const { id, attempts } of cells as { id: string; attempts: number }[])
    expect(attempts, id).toBe(id === killed ? 2 : 1);
});
