// `promptloss train --dry-run`: what a run would do, from the very preparation that a run begins with.

import { counted } from "../../counted.ts";
import { memoryOfDevice } from "../../machine/memory.ts";
import type { Recipe } from "../../recipe/index.ts";
import { harmlessJson, ink } from "../../terminal/index.ts";
import { rowsOfBatch } from "../../training/batch-rows.ts";
import { manifestOf } from "../../training/manifest-of.ts";
import { firstThatFits, memoryByMode, memoryEstimate } from "../../training/memory-estimate.ts";
import { prepareRun } from "../../training/prepare.ts";
import { launcherPlacement } from "../../training/ranks/index.ts";
import { noteLine } from "../notes.ts";
import { watchedHub } from "../progress.ts";
import { bytes, count, short } from "./format.ts";

export async function dryRun(recipe: Recipe, file: string, json: boolean): Promise<void> {
  const run = await prepareRun(recipe, { file, hub: watchedHub() });
  try {
    const manifest = manifestOf(run);
    const { sharding, processes: wanted = 1 } = recipe.training;
    const placement = launcherPlacement(recipe);
    const processes = placement?.size ?? wanted;
    const memory = memoryEstimate(run, { sharding, processes });
    const modes = memoryByMode(run, processes);
    const deviceMemory = memoryOfDevice(run.model.device, placement?.localSize ?? wanted);
    const fits = deviceMemory === undefined ? undefined : firstThatFits(modes, deviceMemory);
    const [first] = run.batches.from(0);
    const tokens = run.rows.lengths.reduce((sum, length) => sum + length, 0);
    const rows = rowsOfBatch(run, first!);
    const trained = rows.reduce((sum, row) => sum + row.trainedCount, 0);
    const plan = {
      ...manifest,
      tokensAnEpoch: tokens,
      memory,
      ...(processes > 1 && { processes, memoryByMode: modes, fits: fits ?? null }),
      deviceMemory: deviceMemory ?? null,
      firstBatch: {
        rows: rows.length,
        tokens: rows.reduce((sum, { length }) => sum + length, 0),
        trained,
        weight: rows.reduce(
          (sum, { weights, firstPredicted }) =>
            sum + weights.subarray(firstPredicted).reduce((a, b) => a + b, 0),
          0,
        ),
        sources: rows.map(({ source }) => source),
      },
    };
    if (json) {
      process.stdout.write(`${harmlessJson(plan, 2)}\n`);
      return;
    }
    const { firstBatch } = plan;
    const facts = [
      [
        "model",
        `${recipe.model}  ${short(manifest.parameters)} parameters, ${short(manifest.trainable)} trained`,
      ],
      [
        "data",
        `${counted(manifest.rows, "row")}, ${short(tokens)} tokens an epoch, ${count(manifest.heldOutRows)} held out`,
      ],
      ["steps", `${count(manifest.steps)}, ${counted(run.batches.epochs, "epoch")}`],
      [
        "loss",
        `prompt loss weight ${manifest.promptLossWeight}, ${manifest.normalization} over the ${manifest.reduceOver}`,
      ],
      [
        "memory",
        `about ${bytes(memory.total)}${processes > 1 ? " a process" : ""}: weights ${bytes(memory.weights)}, gradients ${bytes(memory.gradients)}, optimizer ${bytes(memory.optimizer)}, activations ${bytes(memory.activations)}`,
      ],
      [
        "first",
        `${counted(firstBatch.rows, "row")}, ${counted(firstBatch.tokens, "token")}, ${count(trained)} of them trained, weights that sum to ${firstBatch.weight.toFixed(2)}`,
      ],
      ...(processes > 1 ? [["modes", modesText(modes, deviceMemory, fits)] as const] : []),
    ] as const;
    for (const [name, value] of facts) process.stdout.write(`${ink.dim(name.padEnd(6))} ${value}\n`);
    const notes =
      deviceMemory === undefined || memory.total <= deviceMemory
        ? run.notes
        : [
            `that is more than the ${bytes(deviceMemory)} that ${run.model.device} has for ${processes > 1 ? "each process" : "it"}: see training.gradientCheckpointing, training.microBatchTokens, training.processes and training.sharding`,
            ...run.notes,
          ];
    for (const note of notes) process.stdout.write(`${noteLine(note, process.stdout)}\n`);
  } finally {
    run.free();
  }
}

/** "sharding none 2.1 GiB a process, optimizer 1.4 GiB, …; the first that fits 6.0 GiB: none". */
function modesText(
  modes: ReturnType<typeof memoryByMode>,
  memory: number | undefined,
  fits: string | undefined,
): string {
  const each = Object.entries(modes).map(([mode, { total }]) => `${mode} ${bytes(total)}`);
  const first =
    memory === undefined
      ? ""
      : `; the first that fits ${bytes(memory)}: ${fits ?? "none of them, take more processes"}`;
  return `sharding ${each.join(", ")}${first}`;
}
