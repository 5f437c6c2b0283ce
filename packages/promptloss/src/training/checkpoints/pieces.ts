// Tensors in one file or several: whole, or in pieces that processes wrote, each its own. Whoever reads takes what he
// needs, however many there were who wrote.
import {
  cat,
  noGrad,
  openSafetensors,
  scope,
  type Tensor,
  type TensorSource,
  writeSafetensors,
} from "@promptloss/torch";
import { numelOf } from "../../models/config/parameters.ts";
import { CheckpointError } from "../errors.ts";

/** A part of a flattened tensor, or all of it. */
export interface SavedPiece {
  readonly tensor: Tensor;
  /** The place of its first element; 0 where left out. */
  readonly begin?: number;
}

/** In a file's metadata: where the pieces begin that do not begin at 0. */
const BEGINS = "pieces";

export function writePieces(path: string, pieces: ReadonlyMap<string, SavedPiece>): void {
  const begins = [...pieces].flatMap(([name, { begin = 0 }]) => (begin > 0 ? [[name, begin] as const] : []));
  const tensors = new Map([...pieces].map(([name, { tensor }]) => [name, tensor]));
  const metadata = { [BEGINS]: JSON.stringify(Object.fromEntries(begins)) };
  writeSafetensors(path, tensors, begins.length > 0 ? { metadata } : {});
}

interface Found {
  readonly source: TensorSource;
  readonly begin: number;
  readonly end: number;
}

/** Close it with `using`. What it gives outlives it. */
export class PieceReader {
  readonly #sources: readonly TensorSource[];
  readonly #folder: string;
  readonly #found = new Map<string, Found[]>();

  /** @param folder for errors */
  constructor(folder: string, paths: readonly string[]) {
    this.#folder = folder;
    this.#sources = paths.map((path) => openSafetensors(path));
    for (const source of this.#sources) {
      const begins = JSON.parse(source.metadata[BEGINS] ?? "{}") as Record<string, number>;
      for (const name of source.names) {
        const count = numelOf(source.info(name).shape);
        const begin = Object.hasOwn(begins, name) ? begins[name]! : 0;
        const list = this.#found.get(name) ?? [];
        list.push({ source, begin, end: begin + count });
        this.#found.set(
          name,
          list.sort((a, b) => a.begin - b.begin),
        );
      }
    }
  }

  has(name: string): boolean {
    return this.#found.has(name);
  }

  /** A tensor that no process has a part of alone. The caller's. */
  whole(name: string): Tensor {
    return noGrad(() => this.#found.get(name)![0]!.source.tensor(name));
  }

  /**
   * Elements from `begin` of a flattened tensor, in a shape. The caller's; of a file's memory where one piece has all.
   * @throws {CheckpointError} where the files have not all of them
   */
  read(name: string, shape: readonly number[], begin = 0): Tensor {
    const end = begin + numelOf(shape);
    const found = (this.#found.get(name) ?? []).filter((piece) => piece.begin < end && piece.end > begin);
    let at = begin;
    for (const piece of found) {
      if (piece.begin > at) break;
      at = piece.end;
    }
    if (at < end) throw new CheckpointError(this.#folder, "damaged", `${name} is not whole`);
    return noGrad(() =>
      scope(() => {
        const parts = found.map((piece) => {
          const [from, to] = [Math.max(begin, piece.begin), Math.min(end, piece.end)];
          return piece.source
            .tensor(name)
            .reshape([-1])
            .narrow(0, from - piece.begin, to - from);
        });
        return (parts.length === 1 ? parts[0]! : cat(parts, 0)).reshape(shape);
      }),
    );
  }

  [Symbol.dispose](): void {
    for (const source of this.#sources) source[Symbol.dispose]();
  }
}
