// Finds where a chat template put each message: the messages are replaced by markers once for each sequence of
// roles, and the text between the markers is looked up in real renderings. Where a template's layout depends
// on the messages' words, one message at a time is replaced instead.

import { TemplateError } from "./errors.ts";

export interface ChatMessage {
  readonly role: string;
  readonly content: string;
}

/** Renders messages; throws what the template raises. */
export type RenderMessages = (messages: readonly ChatMessage[]) => string;

/** Where a message's words stand in a rendering, in UTF-16 units. */
export interface Placement {
  readonly start: number;
  readonly end: number;
  /** What was cut from the front of the content before it was put there; undefined where words changed. */
  readonly cutFront: number | undefined;
}

interface Skeleton {
  /** One more than `order`. */
  readonly literals: readonly string[];
  /** The message at each gap. */
  readonly order: readonly number[];
}

/** Private-use characters: no template looks for them, trims them or gives them a meaning. */
function marker(index: number): string {
  return `\ue0f0${index}\ue0f1`;
}
const MARKER = /\ue0f0(\d+)\ue0f1/g;

function skeletonOf(messages: readonly ChatMessage[], render: RenderMessages): Skeleton | undefined {
  let text: string;
  try {
    text = render(messages.map(({ role }, index) => ({ role, content: marker(index) })));
  } catch (error) {
    // The template itself can't be used; what it raises of one conversation is another matter.
    if (error instanceof TemplateError) throw error;
    return undefined;
  }
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

/** The ways in which templates put a message's content: as it is, or trimmed. */
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
  messages: readonly ChatMessage[],
): (Placement | undefined)[] | undefined {
  const placements = new Array<Placement | undefined>(messages.length);
  const { literals, order } = skeleton;
  if (!text.startsWith(literals[0]!)) return undefined;
  let cursor = literals[0]!.length;
  for (const [gap, index] of order.entries()) {
    const next = literals[gap + 1]!;
    const isLast = gap === order.length - 1;
    const found = variants(messages[index]!.content).find(
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

/** Replaces one message by a marker and keeps the others: what stands in its place is what became of it. */
function placeOne(
  text: string,
  messages: readonly ChatMessage[],
  index: number,
  render: RenderMessages,
): Placement | undefined {
  let marked: string;
  try {
    marked = render(
      messages.map((message, i) => (i === index ? { ...message, content: marker(i) } : message)),
    );
  } catch (error) {
    // The template itself can't be used; what it raises of one conversation is another matter.
    if (error instanceof TemplateError) throw error;
    return undefined;
  }
  const parts = marked.split(marker(index));
  if (parts.length !== 2) return undefined;
  const [before = "", after = ""] = parts;
  const end = text.length - after.length;
  if (!text.startsWith(before) || !text.endsWith(after) || before.length > end) return undefined;
  const words = text.slice(before.length, end);
  const same = variants(messages[index]!.content).find((variant) => variant.text === words);
  return { start: before.length, end, cutFront: same?.cutFront };
}

/** Finds messages in renderings of one chat template; remembers the layout for each sequence of roles. */
export class MessageFinder {
  readonly #render: RenderMessages;
  readonly #skeletons = new Map<string, Skeleton | undefined>();

  constructor(render: RenderMessages) {
    this.#render = render;
  }

  /**
   * @param text the rendering of `messages`
   * @returns a placement for each message; undefined for one that the template left out or that cannot be found
   */
  find(text: string, messages: readonly ChatMessage[]): (Placement | undefined)[] {
    const key = messages.map(({ role }) => role).join();
    if (!this.#skeletons.has(key)) this.#skeletons.set(key, skeletonOf(messages, this.#render));
    const skeleton = this.#skeletons.get(key);
    const matched = skeleton === undefined ? undefined : matchSkeleton(text, skeleton, messages);
    return matched ?? messages.map((_, index) => placeOne(text, messages, index, this.#render));
  }
}
