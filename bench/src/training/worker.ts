// Our side: the library's own training run, a round at a time. Between two rounds the process waits for its next
// line within the event of a step, so that what is timed is the loop as users run it.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { libtorch, ops, useFusedKernels } from "@promptloss/torch";
import { checkRecipe, prepareRun, saveModel, train } from "promptloss";
import { TOKEN_CLASSES } from "promptloss/data";
import { createModel, parseModelConfig, saveAdapter } from "promptloss/models";
import { peakMemory, type TrainingRun } from "promptloss/training";
import { answer, readLine } from "../lib/lines.ts";
import { DRAWN } from "./cases.ts";
import type { CreateRequest, ExportedRow, OpenRequest, PeakAnswer, PeakRequest } from "./protocol.ts";

/** The rows of a recipe: those that are short enough, or rows that are full. */
function rowsOf({ data, folder, batch, steps, full }: OpenRequest) {
  // TRL at its best trains twice as many rows; some more, for those that are too long.
  if (!full) return { data: { path: data, limit: 3 * batch * steps }, overflow: "drop" };
  const source = JSON.parse(readFileSync(data, "utf8")) as { instruction: string; output: string }[];
  const rows = Array.from({ length: 2 * batch * steps }, (_, row) => {
    const parts = Array.from({ length: 12 }, (_, part) => source[(12 * row + part) % source.length]!);
    return { instruction: parts[0]!.instruction, output: parts.map(({ output }) => output).join("\n") };
  });
  const file = join(folder, "full.json");
  writeFileSync(file, JSON.stringify(rows));
  return { data: file, template: "plain", overflow: "truncate-completion" };
}

function recipeOf(request: OpenRequest) {
  const { model, folder, steps, threads, precision, promptLossWeight } = request;
  return checkRecipe(
    {
      model,
      ...rowsOf(request),
      output: join(folder, "run"),
      maxLength: request.maxLength,
      emptyCompletions: "keep",
      loss: { promptLossWeight },
      ...(request.lora && { lora: { rank: request.rank } }),
      training: {
        steps,
        batchSize: request.batch,
        learningRate: request.learningRate,
        schedule: "constant",
        precision,
        device: "cpu",
        threads,
        // Masked prompts are measured on logged steps only: on none that is timed.
        logEvery: steps + 1,
      },
      checkpoints: { every: "never" },
    },
    "bench",
  );
}

/** Classes of the answer's tokens; all else is prompt. */
const ANSWER: ReadonlySet<string> = new Set(["completion", "end"]);

/** The run's rows in the order of training, then those that it leaves. */
function exportRows({ rows, batches }: TrainingRun, file: string): void {
  const order = new Set([...batches.from(0)].flatMap((batch) => [...batch.rows]));
  for (let row = 0; row < rows.length; row++) order.add(row);
  const exported = [...order].map((index): ExportedRow => {
    const { ids, weights, classes } = rows.at(index);
    return {
      ids: [...ids],
      weights: [...weights],
      answer: Array.from(classes, (code) => (ANSWER.has(TOKEN_CLASSES[code]!) ? 1 : 0)),
    };
  });
  writeFileSync(file, JSON.stringify(exported));
}

async function measure(request: OpenRequest): Promise<void> {
  if (request.without !== undefined) useFusedKernels(false, request.without);
  const run = await prepareRun(recipeOf(request), { tokenCache: join(request.folder, "tokens") });
  exportRows(run, join(request.folder, "rows.json"));
  if (run.model.adapter !== undefined)
    saveAdapter(run.model.adapter, join(request.folder, "adapter"), { baseModel: request.model });
  let started = 0;
  let tokens = 0;
  let losses: number[] = [];
  const nextRound = (): void => {
    if (readLine() === undefined) process.exit(1);
    [started, tokens, losses] = [performance.now(), 0, []];
  };
  await train(run, {
    checkpoints: join(request.folder, "checkpoints"),
    onStart: () => {
      answer({ version: `libtorch ${libtorch().version}`, work: workOf(run.model) });
      nextRound();
    },
    onEvent: (event) => {
      if (event.type !== "step") return;
      tokens += event.tokens;
      losses.push(event.loss);
      if (event.step % request.chunk !== 0) return;
      answer({ seconds: (performance.now() - started) / 1000, tokens, losses, peak: peakMemory() });
      if (event.step < request.steps) nextRound();
    },
  });
  run.free();
}

/** A token's: each weight of a product multiplies and adds once forward, and backward twice, or once where frozen. */
function workOf({ parameters, adapter, architecture }: TrainingRun["model"]): number {
  const lookedUp = architecture.tied ? undefined : `${architecture.names.embedding}.weight`;
  const weights = [...parameters, ...(adapter?.parameters ?? [])];
  return weights
    .filter(([name, { shape }]) => shape.length === 2 && name !== lookedUp)
    .reduce((sum, [, { numel, requiresGrad }]) => sum + numel * (requiresGrad ? 6 : 4), 0);
}

/** Draws a model of a shape into a folder. */
function create(shape: keyof typeof DRAWN, folder: string, tokenizer: string): void {
  const model = createModel(parseModelConfig(DRAWN[shape]), { seed: 1, dtype: "bfloat16", trainable: false });
  saveModel(model, folder, { companions: tokenizer });
  const parameters = [...model.parameters.values()].reduce((sum, { numel }) => sum + numel, 0);
  model.free();
  answer({ parameters });
}

const line = readLine();
if (line !== undefined) {
  const request = JSON.parse(line) as OpenRequest | CreateRequest | PeakRequest;
  if ("create" in request) create(request.create, request.folder, request.tokenizer);
  else if ("peak" in request)
    answer({ peak: ops.promptloss!.bf16_peak!.default!(request.peak) as number } satisfies PeakAnswer);
  else await measure(request);
}
