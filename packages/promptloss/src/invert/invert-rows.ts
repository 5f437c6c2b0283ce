// Prompt inversion (arXiv 2401.13586): a row with a long completion becomes one with a short completion, in which the
// model is given the output and has to write the prompt. Pure.
import { PromptlossError } from "../errors.ts";

/** An Alpaca row. */
export interface AlpacaRow {
  readonly instruction: string;
  readonly input: string;
  readonly output: string;
}

/**
 * The instruction of an inverted row. Our choice; the paper's exact setting was not available to us.
 */
export const INVERTED_INSTRUCTION = "Predict the prompt that generated the following AI output.";

export interface Wording {
  /** The instruction of inverted rows. */
  readonly instruction: string;
  /**
   * What the model is to write, with {instruction} and {input}. Where the row has no input, the lines that hold
   * {input} and blank lines around them are left out.
   */
  readonly output: string;
}

export const DEFAULT_WORDING: Wording = {
  instruction: INVERTED_INSTRUCTION,
  output: "{instruction}\n\n{input}",
};

/** @throws {PromptlossError} for a wording without {instruction}, or with other placeholders */
export function checkWording({ instruction, output }: Wording): void {
  if (instruction.trim() === "") throw new PromptlossError("the instruction of inverted rows is empty");
  const placeholders: string[] = output.match(/\{\w*\}/g) ?? [];
  const unknown = placeholders.find((each) => each !== "{instruction}" && each !== "{input}");
  if (unknown !== undefined)
    throw new PromptlossError(`the output's wording holds ${unknown}`, {
      hint: "it takes {instruction} and {input}",
    });
  if (!placeholders.includes("{instruction}"))
    throw new PromptlossError(
      "the output's wording lacks {instruction}: the model would not learn the prompt",
    );
}

/** The row that asks for this row's prompt. */
export function invertRow({ instruction, input, output }: AlpacaRow, wording: Wording): AlpacaRow {
  const template =
    input.trim() === ""
      ? wording.output
          .split("\n")
          .filter((line) => !line.includes("{input}"))
          .join("\n")
          .trim()
      : wording.output;
  // One pass, so that a placeholder inside the data stays as it is.
  const answer = template.replace(/\{instruction\}|\{input\}/g, (name) =>
    name === "{input}" ? input : instruction,
  );
  return { instruction: wording.instruction, input: output, output: answer };
}
