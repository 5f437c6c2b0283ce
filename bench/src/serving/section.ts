// The section of docs/BENCHMARKS.md on serving, from its figures.
import { type Allocator, allocatorWords } from "../lib/conditions.ts";
import { markdownTable } from "../lib/report.ts";
import { median } from "../lib/statistics.ts";

export interface Measured {
  readonly clients: number;
  /** Tokens of a round. */
  readonly tokens: number;
  /** Seconds, a round each. */
  readonly ours: readonly number[];
  readonly llamaCpp: readonly number[];
  /** Our clients whose completion is the one that they get alone. */
  readonly likeAlone: number;
  /** Our clients whose completion is llama.cpp's, from the first token to the last. */
  readonly likeLlamaCpp: number;
}

export interface Figures {
  readonly machine: string;
  readonly model: string;
  readonly keptIn: string;
  readonly threads: number;
  readonly allocator?: Allocator;
  readonly libtorch: string;
  readonly llamaCpp: string;
  readonly rounds: number;
  readonly requests: number;
  readonly tokens: number;
  readonly prompts: readonly [shortest: number, longest: number];
  readonly measured: readonly Measured[];
}

/** The aims: of llama.cpp's throughput, and of one client's with 8. */
const LEAST_OF_LLAMA_CPP = 1;
const LEAST_OF_ONE = 3;

/** llama.cpp's seconds over ours: above 1 where ours is faster. */
function ratioOf({ ours, llamaCpp }: Measured): number {
  return median(ours.map((seconds, i) => llamaCpp[i]! / seconds));
}

/** Tokens per second over those of one client in the same round. */
function growthOf(of: Measured, one: Measured, side: "ours" | "llamaCpp"): number {
  return median(of[side].map((seconds, i) => of.tokens / seconds / (one.tokens / one[side][i]!)));
}

export function row(of: Measured, one: Measured): string[] {
  return [
    String(of.clients),
    ratioOf(of).toFixed(2),
    growthOf(of, one, "ours").toFixed(2),
    growthOf(of, one, "llamaCpp").toFixed(2),
    `${of.likeAlone} of ${of.clients}`,
    `${of.likeLlamaCpp} of ${of.clients}`,
  ];
}

function aim(text: string, reached: boolean): string {
  return `Aim: ${text}, ${reached ? "reached" : "**not reached**"}.`;
}

export function sectionOf(figures: Figures): string {
  const {
    machine,
    model,
    keptIn,
    threads,
    allocator,
    libtorch,
    llamaCpp,
    rounds,
    requests,
    tokens,
    prompts,
    measured,
  } = figures;
  const one = measured[0]!;
  const eight = measured.find(({ clients }) => clients === 8)!;
  const least = Math.min(...measured.map(ratioOf));
  return [
    "## Serving against llama.cpp",
    "",
    `\`npm run bench:serving -- FOLDER\` with \`PROMPTLOSS_LLAMA_CPP\` naming a folder with node-llama-cpp; here FOLDER is ${model}, weights in ${keptIn} on both sides. ${machine}, ${threads} threads, libtorch ${libtorch} (ours), node-llama-cpp ${llamaCpp}. Each client asks for ${requests} greedy completions of ${tokens} tokens, one after the other, of prompts of ${prompts[0]} to ${prompts[1]} tokens. Both sides batch what their clients ask for at the same time, and take turns in one process each. Medians of the ratios of ${rounds} rounds. ${allocatorWords(allocator)}`,
    "",
    markdownTable(
      [
        "clients",
        "tokens/s, ours over llama.cpp's",
        "ours, over one client",
        "llama.cpp's, over one client",
        "as alone",
        "as llama.cpp's",
      ],
      measured.map((each) => row(each, one)),
    ),
    "",
    [
      aim(
        `at least llama.cpp's throughput: ${least.toFixed(2)} of it at the least`,
        least >= LEAST_OF_LLAMA_CPP,
      ),
      aim(
        `8 clients have at least ${LEAST_OF_ONE} times the tokens/s of one: ${growthOf(eight, one, "ours").toFixed(2)}`,
        growthOf(eight, one, "ours") >= LEAST_OF_ONE,
      ),
    ].join(" "),
  ].join("\n");
}
