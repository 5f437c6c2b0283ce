// A model's answers to instructions, to be judged: a file of JSON lines that grows batch by batch, so that what was cut
// off goes on. Greedy, or with beams; prompts go through the template that the model was trained with.
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { refusing, replaceFile } from "../../files/atomic.ts";
import type { TextGenerator } from "../../generation/index.ts";
import type { OutputRow } from "./pairs.ts";

export interface AnswerRowsOptions {
  /** New tokens an answer; at most half of what the model reads. */
  readonly maxNewTokens: number;
  /** Beams a prompt; 1 where left out. */
  readonly beams?: number;
  /** As generation has it; 1 where left out. */
  readonly repetitionPenalty?: number;
  /** Where answers are kept. */
  readonly file: string;
  /** What the model is, beside the options: answers of another are not gone on with. */
  readonly identity: string;
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly output: string;
  /** Tokens. */
  readonly length: number;
  /** Whether the prompt was cut from the left to fit the model's context. */
  readonly truncated: boolean;
}

/** Answers that are generated together. */
const TOGETHER = 16;

/**
 * Answers in the order of the rows.
 * @returns undefined where the signal cut it short
 */
export async function answerRows(
  rows: readonly Pick<OutputRow, "instruction" | "input">[],
  generator: TextGenerator,
  options: AnswerRowsOptions,
): Promise<Answer[] | undefined> {
  const { file, identity, signal, beams = 1, repetitionPenalty = 1 } = options;
  const maxNewTokens = Math.min(options.maxNewTokens, Math.floor(generator.contextLength / 2));
  const asked = rows.map(({ instruction, input }) => [instruction, input]);
  const made = fingerprint([identity, asked, maxNewTokens, beams, repetitionPenalty]);
  const answers = begun(file, made).slice(0, rows.length);
  const longest = generator.contextLength - maxNewTokens;
  while (answers.length < rows.length) {
    if (signal?.aborted) return undefined;
    const batch = rows.slice(answers.length, answers.length + TOGETHER);
    const prompts = await Promise.all(
      batch.map(({ instruction, input }) =>
        generator.promptIds({ instruction, ...(input !== "" && { input }) }),
      ),
    );
    const results = await generator.generate(
      prompts.map((ids) => ({ ids: ids.slice(-longest) })),
      {
        ...{ maxNewTokens, temperature: 0, beams, repetitionPenalty },
        ...(signal !== undefined && { signal }),
      },
    );
    // Of a batch that was cut short nothing is whole.
    if (signal?.aborted) return undefined;
    const done = results.map(
      ({ sequences: [best] }, i): Answer => ({
        output: best!.text,
        length: best!.ids.length,
        truncated: prompts[i]!.length > longest,
      }),
    );
    answers.push(...done);
    refusing(file, () => appendFileSync(file, done.map((answer) => `${JSON.stringify(answer)}\n`).join("")));
  }
  return answers;
}

function fingerprint(made: unknown): string {
  return createHash("sha256").update(JSON.stringify(made)).digest("hex").slice(0, 12);
}

/** What the file has of the same making; otherwise it is begun anew. Its first line says what made it. */
function begun(file: string, made: string): Answer[] {
  const [head, ...lines] = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
  const same = head === JSON.stringify({ made });
  const answers: Answer[] = [];
  for (const line of same ? lines : []) {
    try {
      answers.push(JSON.parse(line) as Answer);
    } catch {
      // A torn line and what follows it: the order would no longer hold.
      break;
    }
  }
  replaceFile(file, [{ made }, ...answers].map((line) => `${JSON.stringify(line)}\n`).join(""));
  return answers;
}
