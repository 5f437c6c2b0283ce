// A prompt as decoding takes it, and how much room the model has behind it.
import type { Architecture } from "../../models/config/architecture.ts";
import { contextLength } from "../../models/config/context-length.ts";
import { GenerationError } from "../errors.ts";

export interface PromptTokens {
  /** Its place in the request. */
  readonly index: number;
  readonly ids: ArrayLike<number>;
  /** What the decoder has read before its first new token, for penalties of what was written before. */
  readonly decoded: ArrayLike<number>;
  /** New tokens at most: by the request, and by the context. */
  readonly room: number;
}

/** @throws {GenerationError} for a prompt without tokens or without room behind it */
export function checkedPrompts(
  prompts: readonly ArrayLike<number>[],
  architecture: Architecture,
  maxNewTokens: number,
): PromptTokens[] {
  const context = contextLength(architecture);
  return prompts.map((ids, index) => {
    const which = prompts.length === 1 ? "the prompt" : `prompt ${index + 1} of ${prompts.length}`;
    if (ids.length === 0)
      throw new GenerationError("prompts", `${which} has no tokens`, {
        prompt: index,
        hint: "a model needs one token at least, such as BOS",
      });
    if (ids.length >= context)
      throw new GenerationError(
        "prompts",
        `${which} has ${ids.length} tokens, and the model reads ${context}, its completion included`,
        { prompt: index, hint: "shorten it" },
      );
    const decoded = decodedOf(ids, architecture);
    return { index, ids, decoded, room: Math.min(maxNewTokens, context - ids.length) };
  });
}

/** The prompt, or where an encoder reads that, what the decoder starts with. */
function decodedOf(ids: ArrayLike<number>, { encoder }: Architecture): ArrayLike<number> {
  if (encoder === undefined) return ids;
  return encoder.promptInDecoder ? [encoder.startId, ...Array.from(ids)] : [encoder.startId];
}
