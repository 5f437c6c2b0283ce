// Rows that arrive as ids → classified tokens. Needs no tokenizer, only what ids may be and which of them stop.
import type { TokenExample } from "../example.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import { CLASS_CODE, type ClassifiedTokens } from "./classified-tokens.ts";
import { TokenRowError } from "./errors.ts";

/** What is to be known of a vocabulary for rows of ids: a tokenizer tells it, or a model's config. */
export interface IdVocabulary extends Pick<Tokenizer, "vocabularySize" | "stopIds"> {
  /** Who has the vocabulary, for errors; the tokenizer where left out. */
  readonly owner?: string;
}

/**
 * Weights of 0 and masked tokens are `instruction`, the others completion, a stop token that ends them `end`.
 * @throws {TokenRowError} for ids outside the vocabulary, and for masks or weights that do not fit
 */
export function classifyIds(
  { inputIds, completionMask, weights, weight, source }: TokenExample,
  { vocabularySize, stopIds, owner = "the tokenizer" }: IdVocabulary,
): ClassifiedTokens {
  const given = completionMask ?? weights;
  if (given === undefined || (completionMask !== undefined && weights !== undefined))
    throw new TokenRowError(source, "bad-tokens", "needs either completion_mask or weights, and not both");
  if (given.length !== inputIds.length)
    throw new TokenRowError(
      source,
      "bad-tokens",
      `${inputIds.length} input_ids, but ${given.length} masks or weights`,
    );
  const classes = new Uint8Array(inputIds.length);
  for (let i = 0; i < inputIds.length; i++) {
    const id = inputIds[i]!;
    if (id < 0 || id >= vocabularySize)
      throw new TokenRowError(
        source,
        "bad-tokens",
        `input_ids[${i}] is ${id}; ${owner} has ids from 0 to ${vocabularySize - 1}`,
        { hint: "Was the row made with another tokenizer?" },
      );
    const isEnd = stopIds.has(id) && (i + 1 === given.length || given[i + 1] === 0);
    classes[i] = given[i] === 0 ? CLASS_CODE.instruction : isEnd ? CLASS_CODE.end : CLASS_CODE.completion;
  }
  return { ids: inputIds, classes, partWeights: weights, rowWeight: weight ?? 1, source };
}
