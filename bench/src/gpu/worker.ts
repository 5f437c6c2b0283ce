// Our side on a GPU: the library's own training run, a round at a time, as training/worker.ts does it on the CPU.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  deviceMemory,
  libtorch,
  noGrad,
  randn,
  resetPeakMemory,
  scope,
  synchronize,
} from "@promptloss/torch";
import { checkRecipe, prepareRun, saveModel, train } from "promptloss";
import { createModel, parseModelConfig, saveAdapter } from "promptloss/models";
import { peakMemory, type TrainingRun } from "promptloss/training";
import { answer, readLine } from "../lib/lines.ts";
import type { ExportedRow } from "../training/protocol.ts";
import { CONFIGS } from "./cases.ts";
import type { DrawRequest, GpuRequest, RateRequest } from "./protocol.ts";

/** The share of a row that is prompt, as in Alpaca's. */
const PROMPT_SHARE = 0.75;

/** Rows of drawn ids, all of one length, as a file of tokens. */
function drawRows({ folder, maxLength, batch, steps }: GpuRequest, vocabulary: number): string {
  let state = 12345;
  const id = (): number => {
    // A linear congruence: the same ids everywhere.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return 10 + (state % (vocabulary - 10));
  };
  const prompt = Math.floor(PROMPT_SHARE * maxLength);
  const rows = Array.from({ length: batch * steps }, () => ({
    input_ids: Array.from({ length: maxLength }, id),
    completion_mask: Array.from({ length: maxLength }, (_, place) => (place < prompt ? 0 : 1)),
  }));
  const file = join(folder, "drawn.json");
  writeFileSync(file, JSON.stringify(rows));
  return file;
}

function recipeOf(request: GpuRequest) {
  const { model, folder, steps, promptLossWeight, batch, maxLength, device } = request;
  return checkRecipe(
    {
      model,
      data: request.data,
      output: join(folder, "run"),
      maxLength,
      loss: { promptLossWeight },
      ...(request.lora && { lora: { rank: request.rank } }),
      training: {
        steps,
        batchSize: batch,
        microBatchTokens: batch * maxLength,
        learningRate: request.learningRate,
        schedule: "constant",
        precision: request.precision,
        gradientCheckpointing: request.checkpointing,
        device,
        logEvery: request.chunk,
      },
      checkpoints: { every: "never" },
    },
    "bench",
  );
}

/** The run's rows in the order of training. */
function exportRows({ rows, batches }: TrainingRun, file: string): void {
  const order = new Set([...batches.from(0)].flatMap((batch) => [...batch.rows]));
  const exported = [...order].map((index): ExportedRow => {
    const { ids, weights, length } = rows.at(index);
    const prompt = Math.floor(PROMPT_SHARE * length);
    return {
      ids: [...ids],
      weights: [...weights],
      answer: Array.from(ids, (_, place) => (place < prompt ? 0 : 1)),
    };
  });
  writeFileSync(file, JSON.stringify(exported));
}

async function measure(given: GpuRequest): Promise<void> {
  const vocabulary = Math.min(...Object.values(CONFIGS).map(({ vocab_size: entries }) => entries));
  const request = { ...given, data: drawRows(given, vocabulary) };
  const { device, chunk, steps } = request;
  const run = await prepareRun(recipeOf(request), { tokenCache: join(request.folder, "tokens") });
  for (const note of run.notes) console.error(note);
  exportRows(run, join(request.folder, "rows.json"));
  if (run.model.adapter !== undefined)
    saveAdapter(run.model.adapter, join(request.folder, "adapter"), { baseModel: request.model });
  let [started, tokens] = [0, 0];
  let losses: number[] = [];
  const nextRound = (): void => {
    if (readLine() === undefined) process.exit(1);
    [started, tokens, losses] = [performance.now(), 0, []];
  };
  const peak = (): number => deviceMemory(device)?.peak ?? peakMemory();
  resetPeakMemory(device);
  await train(run, {
    checkpoints: join(request.folder, "checkpoints"),
    onStart: () => {
      answer({ version: `libtorch ${libtorch().version}`, work: workOf(run.model, request.maxLength) });
      nextRound();
    },
    onEvent: (event) => {
      if (event.type !== "step") return;
      tokens += event.tokens;
      losses.push(event.loss);
      if (event.step % chunk !== 0) return;
      // The read of the line's numbers has waited for the device.
      answer({ seconds: (performance.now() - started) / 1000, tokens, losses, peak: peak() });
      if (event.step < steps) nextRound();
    },
  });
  run.free();
}

/**
 * Floating-point operations of a token: each weight of a product multiplies and adds once forward, and backward twice, or
 * once where frozen; attention's two products over half of the row, and twice as many backward. Recomputation is not
 * counted: it is not the model's work.
 */
function workOf({ parameters, adapter, architecture }: TrainingRun["model"], length: number): number {
  const lookedUp = architecture.tied ? undefined : `${architecture.names.embedding}.weight`;
  const weights = [...parameters, ...(adapter?.parameters ?? [])];
  const products = weights
    .filter(([name, { shape }]) => shape.length === 2 && name !== lookedUp)
    .reduce((sum, [, { numel, requiresGrad }]) => sum + numel * (requiresGrad ? 6 : 4), 0);
  const { heads, headSize, layers } = architecture;
  return products + 6 * layers.length * heads * headSize * length;
}

/** Draws a model of a size into a folder. */
function draw({ draw: size, folder, tokenizer, device }: DrawRequest): void {
  const model = createModel(parseModelConfig(CONFIGS[size]), {
    ...{ seed: 1, dtype: "bfloat16", trainable: false, device },
  });
  saveModel(model, folder, { companions: tokenizer });
  const parameters = [...model.parameters.values()].reduce((sum, { numel }) => sum + numel, 0);
  model.free();
  answer({ parameters });
}

/** The rate of large products in bfloat16: what utilization is a share of where the card's own figure is not given. */
function rateOf(device: string): number {
  const size = device === "cpu" ? 512 : 8192;
  const rounds = 20;
  return noGrad(() =>
    scope(() => {
      const matrix = randn([size, size], { device }).bfloat16();
      const product = (): void => scope(() => void matrix.matmul(matrix));
      product();
      synchronize(device);
      const started = performance.now();
      for (let round = 0; round < rounds; round++) product();
      synchronize(device);
      return (2 * size ** 3 * rounds) / ((performance.now() - started) / 1000);
    }),
  );
}

const line = readLine();
if (line !== undefined) {
  const request = JSON.parse(line) as GpuRequest | DrawRequest | RateRequest;
  if ("draw" in request) draw(request);
  else if ("rate" in request) answer({ rate: rateOf(request.rate) });
  else await measure(request);
}
