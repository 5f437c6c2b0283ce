// Tokens of a running batch that are chosen and not read yet: they stay on the device, where the next step takes them from.
import { keep, noGrad, scope, type Tensor, upload } from "@promptloss/torch";
import type { PackedSequences } from "../../models/index.ts";
import { indexOn, rowsOf } from "./index-on.ts";
import type { Row } from "./row.ts";

/** Owns a tensor: free it when the tokens are read. */
export class RecentTokens {
  /** [steps, rows] int64. */
  readonly #tokens: Tensor;
  readonly #rows: number;
  readonly #device: string;
  #steps = 0;

  /** @param running by place, none of which joins or leaves meanwhile */
  constructor(running: readonly { readonly row: Row }[], steps: number, device: string) {
    this.#rows = running.length;
    this.#device = device;
    // A row that no token is chosen for has one in its place that it has seen anyway, for the repetition penalty.
    const seen = running.map(({ row }) => BigInt(firstOf(row.seen) ?? 0));
    const filled = BigInt64Array.from({ length: steps * seen.length }, (_, i) => seen[i % seen.length]!);
    this.#tokens = scope(() => keep(upload([filled], device)[0]!.reshape([steps, seen.length])));
  }

  /** Of these places, [places, steps so far]; undefined where there are none yet. */
  of(places: readonly number[]): Tensor | undefined {
    if (this.#steps === 0) return undefined;
    return rowsOf(this.#tokens.narrow(0, 0, this.#steps).transpose(0, 1), places);
  }

  /** @param ids of a step, one for each of these places, int64 */
  add(ids: Tensor, places: readonly number[]): void {
    noGrad(() =>
      scope(() => {
        const row = this.#tokens.select(0, this.#steps);
        if (places.length === this.#rows) row.copy_(ids);
        else row.put_(ids, indexOn(places, this.#device));
      }),
    );
    this.#steps++;
  }

  /**
   * The ids of an input whose sequences at these places are one token each, the last that was chosen for it.
   * @returns [tokens] int64
   */
  input({ ids, starts }: PackedSequences, places: readonly number[]): Tensor {
    const last = rowsOf(this.#tokens.select(0, this.#steps - 1), places);
    if (places.length === ids.length) return last;
    const all = upload([ids], this.#device)[0]!.long();
    all.put_(
      last,
      indexOn(
        places.map((place) => starts[place]!),
        this.#device,
      ),
    );
    return all;
  }

  free(): void {
    this.#tokens.free();
  }
}

function firstOf(set: ReadonlySet<number>): number | undefined {
  const [first] = set;
  return first;
}
