// Two files of outputs → pairs to judge. Rows meet by instruction and input; where an instruction stands several times,
// the first meets the first, and so on.
import { z } from "zod";
import { faultOf } from "../../config-file/index.ts";
import { readTextFile } from "../../data/rows/index.ts";
import { JudgeError } from "./errors.ts";

/** Two outputs for one instruction. */
export interface OutputPair {
  readonly instruction: string;
  /** Empty where the instruction stands alone. */
  readonly input: string;
  /** The output on trial. */
  readonly candidate: string;
  readonly reference: string;
}

export interface OutputRow {
  readonly instruction: string;
  readonly input: string;
  readonly output: string;
}

const rowSchema = z.object({
  instruction: z.string(),
  input: z.string().nullish(),
  output: z.string(),
});

/** Rows with instruction, output and perhaps input; JSON lines, or a JSON list. Other keys are left alone. */
export function readOutputs(file: string): OutputRow[] {
  const text = readTextFile(file);
  const rows = text.trimStart().startsWith("[") ? listOf(text, file) : linesOf(text, file);
  if (rows.length === 0) throw new JudgeError("has no rows", { file });
  return rows.map(({ row, value }) => {
    const fault = faultOf(value, rowSchema, "the row");
    if (fault !== undefined)
      throw new JudgeError(fault, {
        file,
        row,
        hint: "a row has the texts instruction and output, and may have input",
      });
    const { instruction, input, output } = rowSchema.parse(value);
    return { instruction, input: input ?? "", output };
  });
}

interface RawRow {
  readonly row: number;
  readonly value: unknown;
}

function listOf(text: string, file: string): RawRow[] {
  return (parse(text, file) as unknown[]).map((value, i) => ({ row: i + 1, value }));
}

function linesOf(text: string, file: string): RawRow[] {
  return text
    .split(/\r?\n|\r/)
    .map((line, i) => ({ line, row: i + 1 }))
    .filter(({ line }) => line.trim() !== "")
    .map(({ line, row }) => ({ row, value: parse(line, file, row) }));
}

function parse(text: string, file: string, row?: number): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new JudgeError(`is not JSON: ${(cause as Error).message}`, { file, row, cause });
  }
}

/**
 * Pairs each output with its reference; references that no output meets are left out.
 * @throws {JudgeError} for an output without a reference
 */
export function pairOutputs(
  outputs: readonly OutputRow[],
  references: readonly OutputRow[],
  { file }: { file?: string } = {},
): OutputPair[] {
  const waiting = new Map<string, string[]>();
  const keyOf = ({ instruction, input }: OutputRow): string => JSON.stringify([instruction, input]);
  for (const row of references) {
    const key = keyOf(row);
    waiting.set(key, [...(waiting.get(key) ?? []), row.output]);
  }
  return outputs.map((output, i) => {
    const reference = waiting.get(keyOf(output))?.shift();
    if (reference === undefined)
      throw new JudgeError(`there is no reference for ${JSON.stringify(shortened(output.instruction))}`, {
        file,
        row: i + 1,
        hint: "instruction and input must be the same texts in both files",
      });
    return { instruction: output.instruction, input: output.input, candidate: output.output, reference };
  });
}

const SHOWN = 60;

function shortened(text: string): string {
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}
