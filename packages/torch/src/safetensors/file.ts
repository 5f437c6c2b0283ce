// One safetensors file, mapped into memory: its tensors are views of the map, read from disk when they are touched.
// The map is private: writing to a tensor changes memory, never the file.

import { operator } from "../dispatcher.ts";
import { type DType, itemSize } from "../dtype.ts";
import { gt, ne } from "../functions/comparison.ts";
import { clone } from "../functions/conversion.ts";
import { empty } from "../functions/creation.ts";
import { any } from "../functions/reduction.ts";
import { narrow, view, viewDtype } from "../functions/shape.ts";
import { keep, scope } from "../scope.ts";
import type { Tensor } from "../tensor.ts";
import { SafetensorsError } from "./format/errors.ts";
import { dtypes, type Header, type TensorEntry } from "./format/header.ts";
import { readHeader } from "./format/layout.ts";
import type { TensorInfo, TensorSource } from "./source.ts";
import { unknownTensor } from "./source.ts";

const fromFile = operator("aten::from_file");

/** An open file. Its tensors outlive it: the map goes with the last of them. */
export class SafetensorsFile implements TensorSource {
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly #header: Header;
  /** All bytes of the file, uint8. */
  readonly #map: Tensor;

  /** @throws {SafetensorsError} */
  constructor(path: string) {
    const { header, bytes } = readHeader(path);
    this.path = path;
    this.metadata = header.metadata;
    this.#header = header;
    this.#map = keep(fromFile(path, false, bytes, "uint8"));
  }

  get names(): string[] {
    return [...this.#header.entries.keys()];
  }

  info(name: string): TensorInfo {
    const { dtype, shape, begin, end } = this.#entry(name);
    return { dtype, shape, bytes: end - begin, file: this.path };
  }

  tensor(name: string): Tensor {
    const { dtype: written, shape, begin, end } = this.#entry(name);
    const dtype = dtypes[written];
    if (dtype === undefined)
      throw new SafetensorsError(
        this.path,
        "unsupported-dtype",
        `libtorch has no tensors of ${written} here`,
        {
          tensor: name,
        },
      );
    if (begin === end) return empty(shape, { dtype });
    return scope(() => {
      const start = this.#header.dataStart + begin;
      const bytes = narrow(this.#map, 0, start, end - begin);
      return view(typed(bytes, start, dtype), shape);
    });
  }

  [Symbol.dispose](): void {
    this.#map.free();
  }

  #entry(name: string): TensorEntry {
    const entry = this.#header.entries.get(name);
    if (entry === undefined) throw unknownTensor(this.path, name, this.names);
    return entry;
  }
}

/** Bytes as elements: a view where the dtype allows it, else a copy. */
function typed(bytes: Tensor, start: number, dtype: DType): Tensor {
  if (dtype === "uint8") return bytes;
  // For libtorch a bool is 0 or 1; another byte would behave as neither.
  if (dtype === "bool" && any(gt(bytes, 1)).item("bool")) return ne(bytes, 0);
  return viewDtype(start % itemSize(dtype) === 0 ? bytes : clone(bytes), dtype);
}
