// One run of the benchmark of weights in few bits, in a process of its own, so that its memory is its own:
// node training.js '{"model": …, "base": …, …}'. Prints its figures as a line of JSON.
import { checkRecipe, runTraining } from "promptloss";
import { peakMemory } from "promptloss/training";

export interface TrainingRequest {
  readonly model: string;
  /** Undefined for weights in bfloat16. */
  readonly base?: string;
  readonly data: string;
  readonly output: string;
  readonly steps: number;
  readonly batchSize: number;
}

export interface TrainingFigures {
  readonly steps: readonly {
    readonly loss: number;
    readonly tokens: number;
    readonly seconds: number;
    /** Of all threads, since the step before. */
    readonly processorSeconds: number;
  }[];
  /** Until the first step begins: the model is there, and the rows are tokenized. */
  readonly loadSeconds: number;
  /** Bytes. */
  readonly peak: number;
  readonly parameters: number;
}

const request = JSON.parse(process.argv[2]!) as TrainingRequest;
const recipe = checkRecipe(
  {
    model: request.model,
    data: { path: request.data, limit: 64 },
    output: request.output,
    maxLength: 512,
    overflow: "truncate-prompt",
    emptyCompletions: "keep",
    loss: { promptLossWeight: 0.1 },
    lora: { rank: 16, ...(request.base !== undefined && { base: request.base }) },
    training: {
      ...{ steps: request.steps, batchSize: request.batchSize, microBatchTokens: 512 },
      ...{ learningRate: 1e-4, precision: "bfloat16", logEvery: 1 },
    },
    checkpoints: { every: "never" },
  },
  "bench",
);
const start = performance.now();
let loadSeconds = 0;
let before = process.cpuUsage();
const steps: TrainingFigures["steps"][number][] = [];
const { manifest } = await runTraining(recipe, {
  onEvent: (event) => {
    if (event.type === "start") {
      loadSeconds = (performance.now() - start) / 1000;
      before = process.cpuUsage();
    }
    if (event.type !== "step") return;
    const { user, system } = process.cpuUsage(before);
    before = process.cpuUsage();
    const { loss, tokens, seconds } = event;
    steps.push({ loss, tokens, seconds, processorSeconds: (user + system) / 1e6 });
  },
});
const figures: TrainingFigures = { steps, loadSeconds, peak: peakMemory(), parameters: manifest.parameters };
process.stdout.write(`${JSON.stringify(figures)}\n`);
