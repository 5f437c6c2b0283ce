// Finds where a chat template put each text of a conversation: the texts are replaced by markers once for each sequence
// of roles, and what stands between the markers is looked up in real renderings. Where a template's layout depends on
// the words, one text at a time is replaced instead.

import { TemplateError } from "./errors.ts";

/** The texts of a conversation, each of which a template puts somewhere as it is, trimmed, or not at all. */
export interface TemplateTexts {
  readonly texts: readonly string[];
  /** Conversations of one key are laid out alike whatever their texts; undefined where nothing is known of others. */
  readonly key: string | undefined;
  /** The rendering with other texts; throws what the template raises. */
  render(texts: readonly string[]): string;
}

/** Where a text stands in a rendering, in UTF-16 units. */
export interface Placement {
  readonly start: number;
  readonly end: number;
  /** What was cut from the front of the text before it was put there; undefined where words changed. */
  readonly cutFront: number | undefined;
}

interface Skeleton {
  /** One more than `order`. */
  readonly literals: readonly string[];
  /** The text at each gap. */
  readonly order: readonly number[];
}

/** Private-use characters: no template looks for them, trims them or gives them a meaning. */
export function marker(index: number): string {
  return `\ue0f0${index}\ue0f1`;
}
const MARKER = /\ue0f0(\d+)\ue0f1/g;

/** The rendering with other texts; undefined where the template refuses them. */
function renderOrNot(of: TemplateTexts, texts: readonly string[]): string | undefined {
  try {
    return of.render(texts);
  } catch (error) {
    // The template itself can't be used; what it raises of one conversation is another matter.
    if (error instanceof TemplateError) throw error;
    return undefined;
  }
}

function skeletonOf(of: TemplateTexts): Skeleton | undefined {
  const text = renderOrNot(
    of,
    of.texts.map((_, index) => marker(index)),
  );
  if (text === undefined) return undefined;
  const literals: string[] = [];
  const order: number[] = [];
  let cursor = 0;
  for (const match of text.matchAll(MARKER)) {
    literals.push(text.slice(cursor, match.index));
    order.push(Number(match[1]));
    cursor = match.index + match[0].length;
  }
  literals.push(text.slice(cursor));
  return new Set(order).size === order.length ? { literals, order } : undefined;
}

/** The ways in which templates put a text: as it is, or trimmed. */
function variants(content: string): { text: string; cutFront: number }[] {
  const cutFront = content.length - content.trimStart().length;
  return [
    { text: content, cutFront: 0 },
    { text: content.trim(), cutFront },
    { text: content.trimStart(), cutFront },
    { text: content.trimEnd(), cutFront: 0 },
  ];
}

function matchSkeleton(
  text: string,
  skeleton: Skeleton,
  texts: readonly string[],
): (Placement | undefined)[] | undefined {
  const placements = new Array<Placement | undefined>(texts.length);
  const { literals, order } = skeleton;
  if (!text.startsWith(literals[0]!)) return undefined;
  let cursor = literals[0]!.length;
  for (const [gap, index] of order.entries()) {
    const next = literals[gap + 1]!;
    const isLast = gap === order.length - 1;
    const found = variants(texts[index]!).find(
      (variant) =>
        text.startsWith(variant.text + next, cursor) &&
        (!isLast || cursor + variant.text.length + next.length === text.length),
    );
    if (found === undefined) return undefined;
    const end = cursor + found.text.length;
    placements[index] = { start: cursor, end, cutFront: found.cutFront };
    cursor = end + next.length;
  }
  return placements;
}

/** Replaces one text by a marker and keeps the others: what stands in its place is what became of it. */
function placeOne(text: string, of: TemplateTexts, index: number): Placement | undefined {
  const rendered = renderOrNot(of, of.texts.with(index, marker(index)));
  const parts = rendered?.split(marker(index));
  if (parts?.length !== 2) return undefined;
  const [before = "", after = ""] = parts;
  const end = text.length - after.length;
  if (!text.startsWith(before) || !text.endsWith(after) || before.length > end) return undefined;
  const words = text.slice(before.length, end);
  const same = variants(of.texts[index]!).find((variant) => variant.text === words);
  return { start: before.length, end, cutFront: same?.cutFront };
}

/** Finds texts in renderings of one chat template; remembers the layout for each key. */
export class TextFinder {
  readonly #skeletons = new Map<string, Skeleton | undefined>();

  /**
   * @param text the rendering of the texts
   * @returns a placement for each; undefined for one that the template left out or that cannot be found
   */
  find(text: string, of: TemplateTexts): (Placement | undefined)[] {
    const skeleton = this.#skeletonOf(of);
    const matched = skeleton === undefined ? undefined : matchSkeleton(text, skeleton, of.texts);
    return matched ?? of.texts.map((_, index) => placeOne(text, of, index));
  }

  #skeletonOf(of: TemplateTexts): Skeleton | undefined {
    if (of.key === undefined) return skeletonOf(of);
    if (!this.#skeletons.has(of.key)) this.#skeletons.set(of.key, skeletonOf(of));
    return this.#skeletons.get(of.key);
  }
}
