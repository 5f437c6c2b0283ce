// The README's sentence on speed, from the benches' figures.
import type { Figures as EvaluationFigures } from "../evaluation/section.ts";
import type { Figures as GenerationFigures } from "../generation/section.ts";
import { type Result, ratioOf } from "../training/measure.ts";
import { median } from "./statistics.ts";

export interface SpeedFigures {
  readonly training: { readonly results: readonly Result[] };
  readonly evaluation: EvaluationFigures;
  readonly generation: GenerationFigures;
}

/** The case that the sentence speaks of. */
const CASE = { shape: "small", lora: false, precision: "bfloat16", promptLossWeight: 0.1 } as const;

export function speedLines({ training, evaluation, generation }: SpeedFigures): string {
  const names = Object.keys(CASE) as (keyof typeof CASE)[];
  const trained = training.results.find((result) => names.every((name) => result.case[name] === CASE[name]))!;
  const { ours, trl } = trained.sides;
  const [asItComes, best] = [ratioOf(trained, "trl")!, ratioOf(trained, "trlBest")!];
  const evaluated = evaluation.results
    .filter(({ dtype }) => dtype === "float32")
    .map((result) => median(result.ours.map((seconds, i) => result.harness[i]! / seconds)));
  const same = evaluation.results
    .filter(({ dtype }) => dtype === "float32")
    .every(({ metrics }) => metrics.every((metric) => metric.ours.toFixed(4) === metric.harness.toFixed(4)));
  const generated = generation.results.map(
    (result) => 1 / median(result.ours.map((seconds, i) => seconds / result.python[i]!)),
  );
  return (
    `On a processor with two cores and no AMX, at prompt loss weight ${CASE.promptLossWeight} in bf16: ` +
    `${asItComes.toFixed(1)} times the tokens/s of TRL as it comes and ${best.toFixed(1)} times those of its best settings, ` +
    `in ${(ours!.peak / trl!.peak).toFixed(2)} of its memory (\`npm run bench:training\`); evaluation ${range(evaluated)} times ` +
    `as fast as lm-evaluation-harness in float32${same ? ", with the same scores" : ""} (\`npm run bench:evaluation\`); ` +
    `generation ${range(generated)} times as fast as transformers (\`npm run bench:generation\`).`
  );
}

function range(ratios: readonly number[]): string {
  return `${Math.min(...ratios).toFixed(1)} to ${Math.max(...ratios).toFixed(1)}`;
}
