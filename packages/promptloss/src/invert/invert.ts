// Inverts a data set, or a part of it, or draws a part of it, and says what it did.
import type { Example, Turn } from "../data/example.ts";
import type { Tokenizer } from "../data/tokenizer/index.ts";
import { PromptlossError } from "../errors.ts";
import { type Candidate, chooseRows, ratioOf, type Sides } from "./choose-rows.ts";
import { type AlpacaRow, checkWording, DEFAULT_WORDING, invertRow, type Wording } from "./invert-rows.ts";
import { sampleRows } from "./sample-rows.ts";
import type { TargetWay } from "./target-ways.ts";

export interface InvertOptions {
  readonly tokenizer: Tokenizer;
  readonly wording?: Partial<Wording>;
  /** Leave rows whose own completion is shorter than their prompt as they are; true when left out, as in the paper. */
  readonly onlyLong?: boolean;
  /** Take only as many rows, drawn at random, as bring the ratio of mean lengths here. */
  readonly targetRatio?: number;
  /** How the target is reached: by inverting rows, or by leaving rows out; the former when left out. */
  readonly by?: TargetWay;
  /** Of the draw; 0 when left out. */
  readonly seed?: number;
}

/** Mean tokens and generation ratio (ratio of means), each part encoded by itself without special tokens. */
export interface SideMeans {
  readonly prompt: number;
  readonly completion: number;
  readonly generationRatio: number;
}

export interface InvertReport {
  /** Read; those left out count. */
  readonly rows: number;
  readonly inverted: number;
  /** Rows that sampling left out. */
  readonly leftOut: number;
  readonly before: SideMeans;
  readonly after: SideMeans;
  readonly wording: Wording;
  readonly seed: number;
  readonly targetRatio: number | undefined;
  readonly by: TargetWay;
}

export interface Inverted {
  /** The rows in their order, inverted or not, without those left out. */
  readonly rows: AlpacaRow[];
  readonly report: InvertReport;
}

/**
 * @throws {PromptlossError} for rows that are no single exchange, a bad wording, and a ratio out of reach
 * @example
 * ```ts
 * import { invertExamples, loadExamples, loadTokenizer } from "promptloss";
 *
 * const { examples } = await loadExamples({ path: "rows.json" });
 * const { rows } = await invertExamples(examples, { tokenizer: await loadTokenizer("model"), onlyLong: false });
 * console.log(rows[0]?.instruction);
 * ```
 */
export async function invertExamples(
  examples: Iterable<Example> | AsyncIterable<Example>,
  options: InvertOptions,
): Promise<Inverted> {
  const { tokenizer, onlyLong = true, targetRatio, by = "inverting", seed = 0 } = options;
  if (by === "sampling" && targetRatio === undefined)
    throw new PromptlossError("sampling leaves rows out until a ratio is reached, and there is no target", {
      hint: "set targetRatio (--target-ratio)",
    });
  const wording = { ...DEFAULT_WORDING, ...options.wording };
  checkWording(wording);
  const originals: AlpacaRow[] = [];
  for await (const example of examples) originals.push(asAlpaca(example));
  const inverses = originals.map((row) => invertRow(row, wording));
  const [before, after] = [await sidesOf(originals, tokenizer), await sidesOf(inverses, tokenizer)];
  const candidates = before.map((sides, i): Candidate => ({ before: sides, after: after[i]! }));
  const samples = by === "sampling";
  const kept = samples ? sampleRows(before, { targetRatio: targetRatio!, seed }) : before.map(() => true);
  const chosen = samples ? before.map(() => false) : chooseRows(candidates, { onlyLong, targetRatio, seed });
  const sides = candidates.map((each, i) => (chosen[i] ? each.after : each.before)).filter((_, i) => kept[i]);
  return {
    rows: originals.map((row, i) => (chosen[i] ? inverses[i]! : row)).filter((_, i) => kept[i]),
    report: {
      rows: originals.length,
      inverted: chosen.filter(Boolean).length,
      leftOut: originals.length - sides.length,
      before: meansOf(before),
      after: meansOf(sides),
      wording,
      seed,
      targetRatio,
      by,
    },
  };
}

function asAlpaca(example: Example): AlpacaRow {
  const { source } = example;
  const fail = (reason: string): PromptlossError =>
    new PromptlossError(`${source.file}, row ${source.row}: ${reason}`, {
      hint: "inversion takes rows of one instruction, at most one input, and one completion",
    });
  if (example.kind !== "conversation") throw fail("the row is no instruction with a completion");
  const roles = example.turns.map(({ role }) => role).join(" ");
  if (roles !== "user assistant") throw fail(`the row has the turns ${roles}`);
  const [asked, answered] = example.turns as [Turn, Turn];
  if (example.tools !== undefined || answered.toolCalls !== undefined || answered.reasoning !== undefined)
    throw fail("the row has tools or reasoning beside its words");
  const textOf = ({ parts }: Turn, name?: string): string =>
    parts
      .filter((part) => name === undefined || part.class === name)
      .map(({ text }) => text)
      .join("");
  return {
    instruction: textOf(asked, "instruction"),
    input: textOf(asked, "input"),
    output: textOf(answered),
  };
}

async function sidesOf(rows: readonly AlpacaRow[], tokenizer: Tokenizer): Promise<Sides[]> {
  const count = (pick: (row: AlpacaRow) => string): Promise<Int32Array> =>
    tokenizer.countBatch(rows.map(pick));
  const [instructions, inputs, outputs] = [
    await count(({ instruction }) => instruction),
    await count(({ input }) => input),
    await count(({ output }) => output),
  ];
  return rows.map((_, i) => ({ prompt: instructions[i]! + inputs[i]!, completion: outputs[i]! }));
}

function meansOf(sides: readonly Sides[]): SideMeans {
  const average = (side: keyof Sides): number =>
    sides.reduce((sum, each) => sum + each[side], 0) / sides.length;
  return { prompt: average("prompt"), completion: average("completion"), generationRatio: ratioOf(sides) };
}
