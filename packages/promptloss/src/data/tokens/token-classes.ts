// Gives each token the class of the text that it stands for.
import type { Span } from "../templates/index.ts";
import type { EncodedPiece } from "./boundaries.ts";
import { CLASS_CODE } from "./classified-tokens.ts";

export interface ClassWriter {
  readonly classes: Uint8Array;
  /** NaN where no part weight holds. */
  readonly partWeights: Float32Array | undefined;
  /** 1 where no factor holds. */
  readonly scales: Float32Array | undefined;
}

/**
 * The span that a token belongs to: the one that holds most of its characters, the earlier of two that hold as
 * many. Positions are the rendering's.
 * @param from the first span that can hold it
 */
export function spanOf(spans: readonly Span[], start: number, end: number, from = 0): number {
  let best = from;
  while (best < spans.length - 1 && spans[best]!.end <= start) best++;
  let most = Math.min(end, spans[best]!.end) - start;
  for (let other = best + 1; other < spans.length && spans[other]!.start < end; other++) {
    const overlap = Math.min(end, spans[other]!.end) - spans[other]!.start;
    if (overlap > most) {
      best = other;
      most = overlap;
    }
  }
  return best;
}

/**
 * Writes the class and part weight of the tokens of one encoded stretch of a rendering. Only the tokens at the
 * spans' borders are looked up; those between belong to their span.
 * @param at the index in `out` of the stretch's first token
 */
export function writeClasses(
  spans: readonly Span[],
  piece: EncodedPiece,
  out: ClassWriter,
  at: number,
): void {
  const { ids, encoded, firstToken, shift } = piece;
  const write = (from: number, to: number, { class: name, weight, scale }: Span): void => {
    out.classes.fill(CLASS_CODE[name], at + from, at + to);
    if (scale !== undefined) out.scales?.fill(scale, at + from, at + to);
    if (weight !== undefined) out.partWeights?.fill(weight, at + from, at + to);
  };
  let token = 0;
  for (let index = 0; index < spans.length && token < ids.length; index++) {
    const span = spans[index]!;
    const border = encoded.tokenAt(Math.max(span.end - shift, 0)) - firstToken;
    if (border > token) {
      write(token, border, span);
      token = border;
    }
    for (; token < ids.length; token++) {
      const [start, end] = encoded.rangeOf(firstToken + token);
      if (start + shift >= span.end) break;
      write(token, token + 1, spans[spanOf(spans, start + shift, end + shift)]!);
    }
  }
}
