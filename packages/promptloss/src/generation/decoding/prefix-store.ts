// Keys and values of sequences that have ended, kept for those that begin in the same way: a conversation's next message,
// the instructions that all requests share. So many bytes, the least recently used go first.
import { freeHeld, type HeldPrefix } from "../../models/index.ts";

interface Kept {
  readonly ids: readonly number[];
  readonly held: HeldPrefix;
  readonly bytes: number;
}

export class PrefixStore {
  readonly #limit: number;
  /** The least recently used first. */
  #kept: Kept[] = [];
  #bytes = 0;

  /** @param limit bytes of keys and values */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes over what was held of these tokens. */
  add(ids: readonly number[], held: HeldPrefix): void {
    const bytes = bytesOf(held);
    if (bytes > this.#limit) {
      freeHeld(held);
      return;
    }
    // What the new one begins with adds nothing.
    this.#drop(({ ids: other }) => commonLength(other, ids) === other.length);
    this.#kept.push({ ids, held, bytes });
    this.#bytes += bytes;
    while (this.#bytes > this.#limit) this.#drop((each) => each === this.#kept[0]);
  }

  /** The one that shares the most tokens with these from the start; undefined where none does. */
  find(ids: readonly number[]): { readonly tokens: number; readonly held: HeldPrefix } | undefined {
    let best: Kept | undefined;
    let most = 0;
    for (const kept of this.#kept) {
      const common = commonLength(kept.ids, ids);
      if (common > most) [best, most] = [kept, common];
    }
    if (best === undefined) return undefined;
    this.#kept = [...this.#kept.filter((each) => each !== best), best];
    return { tokens: most, held: best.held };
  }

  free(): void {
    this.#drop(() => true);
  }

  #drop(goes: (kept: Kept) => boolean): void {
    const going = this.#kept.filter(goes);
    this.#kept = this.#kept.filter((each) => !going.includes(each));
    for (const { held, bytes } of going) {
      freeHeld(held);
      this.#bytes -= bytes;
    }
  }
}

function bytesOf({ layers }: HeldPrefix): number {
  return layers.reduce(
    (sum, store) =>
      sum + (store === undefined ? 0 : 2 * store.keys.numel * BYTES[store.keys.dtype as "float32"]),
    0,
  );
}

const BYTES = { float64: 8, float32: 4, bfloat16: 2, float16: 2 } as const;

/** How many tokens two sequences have in common from the start. */
export function commonLength(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && a[length] === b[length]) length++;
  return length;
}
