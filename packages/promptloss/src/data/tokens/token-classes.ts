// Gives each token the class of the text that it stands for.
import type { Span } from "../templates/index.ts";
import { CLASS_CODE } from "./classified-tokens.ts";

export interface ClassWriter {
  readonly classes: Uint8Array;
  /** NaN where no part weight holds. */
  readonly partWeights: Float32Array | undefined;
}

/**
 * Writes the class and part weight of the tokens of one encoded stretch of a rendering. A token over several
 * spans belongs to the one that holds most of its characters, to the earlier of two that hold as many. A token
 * without characters of its own (sentencepiece's leading space) belongs to the span where it stands.
 * @param spans the rendering's spans
 * @param offsets UTF-16 positions in the stretch: token i spans [2i] to [2i + 1]
 * @param shift where in the rendering the stretch starts
 * @param at the index in `out` of the stretch's first token
 */
export const writeClasses = (
  spans: readonly Span[],
  offsets: Int32Array,
  shift: number,
  out: ClassWriter,
  at: number,
): void => {
  let first = 0;
  for (let token = 0; 2 * token < offsets.length; token++) {
    const start = offsets[2 * token]! + shift;
    const end = offsets[2 * token + 1]! + shift;
    while (first < spans.length - 1 && spans[first]!.end <= start) first++;
    let best = first;
    let most = Math.min(end, spans[first]!.end) - start;
    for (let other = first + 1; other < spans.length && spans[other]!.start < end; other++) {
      const overlap = Math.min(end, spans[other]!.end) - spans[other]!.start;
      if (overlap > most) {
        best = other;
        most = overlap;
      }
    }
    const span = spans[best]!;
    out.classes[at + token] = CLASS_CODE[span.class];
    if (out.partWeights !== undefined && span.weight !== undefined) out.partWeights[at + token] = span.weight;
  }
};
