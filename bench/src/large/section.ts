// The section of docs/BENCHMARKS.md on a model of 1.1 B parameters, from its figures.
import { markdownTable } from "../lib/report.ts";
import { median } from "../lib/statistics.ts";

export interface Figures {
  readonly machine: string;
  /** The file's name. */
  readonly data: string;
  readonly steps: readonly { readonly loss: number; readonly tokens: number; readonly seconds: number }[];
  /** Bytes. */
  readonly peak: number;
  readonly manifest: { readonly parameters: number; readonly trainable: number; readonly threads: number };
}

export function sectionOf({ machine, data, steps, peak, manifest }: Figures): string {
  const speed = median(steps.slice(1).map(({ tokens, seconds }) => tokens / seconds));
  return [
    "## A model of 1.1 B parameters",
    "",
    `\`npm run bench:large -- ALPACA_JSON TOKENIZER_FOLDER\`, here with ${data}: TinyLlama's config with random weights, LoRA of rank 16 on all linear modules, bf16, gradient checkpointing, batches of 8 rows, prompt loss weight 0.1. ${machine}, ${manifest.threads} threads.`,
    "",
    markdownTable(
      ["parameters", "trained", "losses", "tokens/s", "peak memory", "aim"],
      [
        [
          manifest.parameters.toLocaleString("en-US"),
          manifest.trainable.toLocaleString("en-US"),
          steps.map(({ loss }) => loss.toFixed(3)).join(", "),
          speed.toFixed(0),
          `${(peak / 1e9).toFixed(1)} GB`,
          "within 24 GB",
        ],
      ],
    ),
  ].join("\n");
}
