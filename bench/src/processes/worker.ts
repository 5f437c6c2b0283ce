// One rank, or the only process, of a short training: what memory it takes and how long it waits for the others.
// Linux only: the kernel's mark of the most resident memory is set back after the first step.
import { writeFileSync, writeSync } from "node:fs";
import { itemSize, type Tensor } from "@promptloss/torch";
import { checkRecipe, prepareRun } from "promptloss";
import { launcherPlacement, memoryEstimate, peakMemory, Ranks, Trainer } from "promptloss/training";
import type { RankAnswer, RankRequest } from "./protocol.ts";

const request = JSON.parse(process.argv[2]!) as RankRequest;
const recipe = checkRecipe(request.recipe as Parameters<typeof checkRecipe>[0], "bench");
const placement = launcherPlacement(recipe);
const ranks = placement && new Ranks({ placement, timeout: 3600 });

const before = process.memoryUsage.rss();
const run = await prepareRun(recipe, ranks ? { ranks } : {});
const { model, shards } = run;
const seconds: number[] = [];
const waited: number[] = [];
const tokens: number[] = [];
const losses: number[] = [];
const trainer = new Trainer(run, {
  checkpoints: `${run.output}/checkpoints`,
  ...(ranks && { ranks }),
  onEvent: (event) => {
    if (event.type !== "step") return;
    tokens.push(event.tokens);
    losses.push(event.loss);
  },
});
for (const batch of run.batches.from(0)) {
  if (batch.step > request.steps) break;
  // The step before the measured ones makes buffers that stay.
  if (batch.step === 1) writeFileSync("/proc/self/clear_refs", "5");
  const [began, waitedBefore] = [performance.now(), ranks?.group.waited ?? 0];
  trainer.step(batch);
  seconds.push((performance.now() - began) / 1000);
  waited.push(((ranks?.group.waited ?? 0) - waitedBefore) / 1000);
}

const trained = bytesOf(model.trainable.values());
const owned = shards && bytesOf([...shards.owned.values()].map(({ tensor }) => tensor));
const { sharding } = recipe.training;
const answer: RankAnswer = {
  bytes: {
    weights: shards?.isFull ? shards.bytes.weights : bytesOf(model.parameters.values()),
    gathered: shards?.bytes.mostGathered ?? 0,
    gradients: shards?.bytes.mostGradients ?? trained,
    moments: 2 * (owned ?? trained),
  },
  formula: memoryEstimate(run, { sharding, processes: run.processes }),
  resident: { before, peak: peakMemory() },
  seconds: seconds.slice(1),
  waited: waited.slice(1),
  tokens: tokens.slice(1),
  losses,
};
ranks?.group.barrier();
trainer[Symbol.dispose]();
run.free();
ranks?.close();
writeSync(1, `${JSON.stringify(answer)}\n`);

function bytesOf(tensors: Iterable<Tensor>): number {
  return [...tensors].reduce((sum, { numel, dtype }) => sum + numel * itemSize(dtype), 0);
}
