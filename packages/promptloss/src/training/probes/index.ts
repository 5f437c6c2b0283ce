// Probes: what a finished run says of its mechanism, beside its scores.
import type { Tensor } from "@promptloss/torch";
import { replaceFile } from "../../files/atomic.ts";
import { finiteJson } from "../../finite-json.ts";
import { drawnParameters } from "../../models/folder/create-model.ts";
import { loadModel } from "../../models/index.ts";
import { readMetrics } from "../events/metrics-file.ts";
import type { TrainingRun } from "../run.ts";
import { type Distances, distancesOf } from "./distance.ts";
import type { Forgotten, probeForgetting } from "./forgetting.ts";
import { type Generalization, probeGeneralization } from "./generalization.ts";
import type { GenerationLine, Generations } from "./generations.ts";
import { type Stability, stabilityOf } from "./stability.ts";
import { ofStart } from "./start-model.ts";

export interface Probes {
  /** Undefined for fewer than two steps. */
  readonly trainingLoss: Stability | undefined;
  /** Where rows are held out. */
  readonly generalization?: Generalization;
  /** From the starting weights. */
  readonly distance: Distances;
  /** Where `probes.generations` asks for it. */
  readonly generations?: Generations;
  /** Where `probes.forgetting` asks for it. */
  readonly forgetting?: readonly Forgotten[];
}

export interface ProbePlaces {
  /** The run's metrics.jsonl. */
  readonly metrics: string;
  /** The folder for records of the model before and after. */
  readonly forgetting: string;
  /** The file for texts of generations. */
  readonly generations: string;
}

/**
 * Without what a run has not measured.
 * @param writtenStep the step whose weights the model has
 * @throws {TrainingError} where a weight is not finite
 */
export async function probeRun(
  run: TrainingRun,
  { metrics, forgetting: folder, generations: texts }: ProbePlaces,
  writtenStep: number,
  onNote: (message: string) => void = () => {},
): Promise<Probes> {
  const { model, rows, heldOut, settings } = run;
  const generations = await probeGenerationsOf(run, texts, onNote);
  const forgetting = run.forgetting && (await probeForgettingOf(run, run.forgetting, folder, onNote));
  const distance = distanceFromStart(run);
  const lines = readMetrics(metrics);
  const measured = lines.findLast(({ type, step }) => type === "evaluation" && step === writtenStep);
  return {
    trainingLoss: stabilityOf(lines),
    ...(heldOut &&
      measured && {
        generalization: probeGeneralization(
          model,
          rows,
          { heldOut: measured, count: heldOut.length },
          settings,
        ),
      }),
    distance,
    ...(generations && { generations }),
    ...(forgetting && { forgetting }),
  };
}

/** What a run continues its training prompts with, and the texts in a file. */
async function probeGenerationsOf(
  run: TrainingRun,
  file: string,
  onNote: (message: string) => void,
): Promise<Generations | undefined> {
  const { model, tokenizer, rows, recipe } = run;
  const wanted = recipe.probes.generations;
  if (wanted === undefined || tokenizer === undefined) return undefined;
  // All of generation is loaded by those runs alone that ask for it.
  const { probeGenerations } = await import("./generations.ts");
  const probe = (of: typeof model) => probeGenerations(of, tokenizer, rows, { ...wanted, seed: recipe.seed });
  const made = await probe(model);
  if (made === undefined) {
    onNote(
      `no probe of generations: no training prompt leaves room for ${wanted.maxNewTokens} tokens (probes.generations.maxNewTokens)`,
    );
    return undefined;
  }
  const before = wanted.before ? await ofStart(run, probe) : undefined;
  const lines = made.texts.map(({ completion, ...row }, i): GenerationLine => {
    const was = before?.texts[i]?.completion;
    return { ...row, ...(was !== undefined && { before: was }), after: completion };
  });
  replaceFile(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return made.measured;
}

/** Evaluation is loaded by those runs alone that ask for it. */
async function probeForgettingOf(...given: Parameters<typeof probeForgetting>): Promise<Forgotten[]> {
  return (await import("./forgetting.ts")).probeForgetting(...given);
}

export function writeProbes(path: string, probes: Probes): void {
  replaceFile(path, `${finiteJson(probes, "probes", 2)}\n`);
}

function distanceFromStart({ model, recipe }: TrainingRun): Distances {
  if (recipe.initialize === "random") {
    // Drawn where the model was drawn, as another device draws other numbers, and in the order of its parameters.
    const drawn = drawnParameters(model.config, { seed: recipe.seed, device: model.device });
    let last: Tensor | undefined;
    const found = distancesOf(model, () => {
      last?.free();
      [, last] = drawn.next().value as [string, Tensor];
      return last;
    });
    last?.free();
    return found;
  }
  const start = loadModel(recipe.model!);
  try {
    return distancesOf(model, (name) => start.parameter(name));
  } finally {
    start.free();
  }
}
