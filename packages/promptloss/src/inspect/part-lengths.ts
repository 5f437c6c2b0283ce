// The lengths of each row's parts, every part encoded by itself without special tokens: what the generation ratio is
// made of. While the tokenizer's threads encode one batch, the next is read.
import type { Example, PartClass, ToolCall } from "../data/example.ts";
import { ENCODING_BATCH, type Tokenizer } from "../data/tokenizer/index.ts";
import { Lengths } from "./lengths.ts";

/** What of a row's own text is measured. */
export type MeasuredClass = PartClass | "tool-call";

export const PART_CLASSES = [
  "system",
  "tool-definition",
  "instruction",
  "input",
  "tool-result",
  "reasoning",
  "tool-call",
  "completion",
] as const satisfies MeasuredClass[];

/** Tokens of each class, one value a row; 0 where a row has no such part. */
export type PartLengths = Readonly<Record<MeasuredClass, Int32Array>>;

/** Of each row, what the model writes: words, reasoning and calls. */
export function writtenLengths({ completion, reasoning, "tool-call": calls }: PartLengths): Int32Array {
  return completion.map((length, row) => length + reasoning[row]! + calls[row]!);
}

/** A call as most templates write it. */
function callText({ name, arguments: given }: ToolCall): string {
  return `{"name": ${JSON.stringify(name)}, "arguments": ${given}}`;
}

function ofEach<T>(make: (name: MeasuredClass) => T): Record<MeasuredClass, T> {
  return Object.fromEntries(PART_CLASSES.map((name) => [name, make(name)])) as Record<MeasuredClass, T>;
}

/** Batches on their way: the library's threads have the next while this one is counted. */
const IN_FLIGHT = 3;

/** Counts tokens of examples given one by one. Memory: 4 bytes a row and class. */
export class PartCounter {
  readonly #lengths = ofEach(() => new Lengths());
  readonly #tokenizer: Tokenizer;
  #texts: string[] = [];
  #characters = 0;
  /** For each text, its row and its class. */
  #rows: number[] = [];
  #classes: MeasuredClass[] = [];
  #next = 0;
  #running: Promise<void>[] = [];

  constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer;
  }

  /** Takes an example; its lengths are there after `finish`. */
  async add(example: Example): Promise<void> {
    const row = this.#next++;
    for (const name of PART_CLASSES) this.#lengths[name].grow();
    if (example.kind === "conversation") {
      for (const tool of example.tools ?? []) this.#queue(row, "tool-definition", tool);
      for (const { parts, reasoning = "", toolCalls = [] } of example.turns) {
        for (const part of parts) this.#queue(row, part.class, part.text);
        this.#queue(row, "reasoning", reasoning);
        for (const call of toolCalls) this.#queue(row, "tool-call", callText(call));
      }
    } else if (example.kind === "text") this.#queue(row, "completion", example.text);
    else {
      const { inputIds, completionMask, weights } = example;
      const marks: ArrayLike<number> = completionMask ?? weights ?? [];
      const trained = Array.from(marks).filter((mark) => mark > 0).length;
      this.#lengths.completion.add(row, trained);
      this.#lengths.instruction.add(row, inputIds.length - trained);
    }
    if (this.#texts.length >= ENCODING_BATCH.texts || this.#characters >= ENCODING_BATCH.characters)
      await this.#flush();
  }

  async finish(): Promise<PartLengths> {
    await this.#flush();
    await Promise.all(this.#running);
    return ofEach((name) => this.#lengths[name].values);
  }

  #queue(row: number, name: MeasuredClass, text: string): void {
    if (text === "") return;
    this.#texts.push(text);
    this.#characters += text.length;
    this.#rows.push(row);
    this.#classes.push(name);
  }

  /** Starts a batch, and waits where enough are on their way: their memory is the library's. */
  async #flush(): Promise<void> {
    const [texts, rows, classes] = [this.#texts, this.#rows, this.#classes];
    [this.#texts, this.#rows, this.#classes] = [[], [], []];
    this.#characters = 0;
    const job = this.#count(texts, rows, classes);
    // It is awaited later: until then its failure must not count as unhandled.
    job.catch(() => undefined);
    this.#running.push(job);
    if (this.#running.length > IN_FLIGHT) await this.#running.shift();
  }

  async #count(
    texts: readonly string[],
    rows: readonly number[],
    classes: readonly MeasuredClass[],
  ): Promise<void> {
    const counts = await this.#tokenizer.countBatch(texts);
    for (let i = 0; i < counts.length; i++) this.#lengths[classes[i]!].add(rows[i]!, counts[i]!);
  }
}
