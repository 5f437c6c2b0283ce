// A Hugging Face folder, or a PEFT adapter's, → a GGUF file, a few rows at a time. The arrangement of import.ts, the other
// way round.
import { closeSync, openSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { statOf, type TensorPlace, tensorPlaces } from "@promptloss/torch/files";
import { readTokenizerFolder } from "../../../data/tokenizer/folder.ts";
import { loadTokenizer } from "../../../data/tokenizer/index.ts";
import type { Architecture } from "../../config/architecture.ts";
import { parameterShapes } from "../../config/parameters.ts";
import { readModelConfig } from "../../config/read-config.ts";
import { ModelWeightsError } from "../../errors.ts";
import type { GgufArchitecture } from "../architectures.ts";
import { dequantize } from "../blocks/dequantize.ts";
import { quantize } from "../blocks/quantize.ts";
import { type BlockType, blockTypeNamed } from "../format/block-types.ts";
import { GgufError } from "../format/errors.ts";
import { type Typed, text, uint32, type WrittenTensor, writeGguf } from "../format/write.ts";
import { readBytes, transpose } from "../rows.ts";
import { storedTensor } from "../stored-tensor.ts";
import { type NamedTensor, pairedRow, tensorNames } from "../tensor-names.ts";
import { describeModel } from "./describe.ts";
import { describeTokenizer } from "./describe-tokenizer.ts";
import { type ExportType, FILE_TYPES, tensorType } from "./types.ts";

export interface ExportedGguf {
  /** `general.architecture`. */
  readonly architecture: string;
  readonly type: ExportType;
  readonly tensors: number;
  /** Of the file. */
  readonly bytes: number;
  readonly notes: readonly string[];
}

export interface ExportGgufOptions {
  /** Of the matrices; norms and biases are float32. */
  readonly type: ExportType;
  /** The folder of the tokenizer; the model's where left out. */
  readonly tokenizer?: string | undefined;
  /** Refuse a config with keys that are not known here. */
  readonly strict?: boolean | undefined;
}

/**
 * Writes a model with its tokenizer, chat template and stop tokens.
 * @throws {GgufError} for a model or tokenizer that llama.cpp would take for another
 * @throws {ModelWeightsError} for weights that do not fit the config
 */
export async function exportGguf(
  folder: string,
  path: string,
  { type, tokenizer = folder, strict = false }: ExportGgufOptions,
): Promise<ExportedGguf> {
  const config = readModelConfig(folder, { strict });
  const described = describeModel(config, folder);
  const plan = config.architecture;
  const notes = [...config.notes, ...described.notes];
  const metadata = new Map<string, Typed>([
    ...described.metadata,
    ["general.type", text("model")],
    ["general.name", text(basename(resolve(folder)))],
    ["general.file_type", uint32(FILE_TYPES[type])],
    ["general.quantization_version", uint32(2)],
  ]);
  if (statOf(join(tokenizer, "tokenizer.json")) === undefined)
    notes.push(`${tokenizer}: there is no tokenizer.json, and the file has no tokenizer`);
  else {
    const words = describeTokenizer(
      await readTokenizerFolder(tokenizer),
      await loadTokenizer(tokenizer),
      plan.vocabularySize,
    );
    for (const [key, value] of words.metadata) metadata.set(key, value);
    notes.push(...words.notes);
  }
  const files = new Files();
  try {
    const tensors = [
      ...modelTensors(folder, plan, described.architecture, type, files),
      ...[...described.ropes].map(([name, values]) => floatTensor(name, values)),
    ];
    const bytes = writeGguf(path, metadata, tensors);
    return { architecture: described.architecture.name, type, tensors: tensors.length, bytes, notes };
  } finally {
    files.close();
  }
}

function floatTensor(name: string, values: Float32Array): WrittenTensor {
  return {
    ...{ name, type: blockTypeNamed("F32"), shape: [values.length] },
    write: (put) => put(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
  };
}

/** Files of weights, each opened once. */
class Files {
  readonly #open = new Map<string, number>();

  read(path: string, begin: number, length: number): Buffer {
    if (!this.#open.has(path)) this.#open.set(path, openSync(path, "r"));
    return readBytes(this.#open.get(path)!, path, begin, length);
  }

  close(): void {
    for (const file of this.#open.values()) closeSync(file);
  }
}

function modelTensors(
  folder: string,
  plan: Architecture,
  architecture: GgufArchitecture,
  type: ExportType,
  files: Files,
): WrittenTensor[] {
  const shapes = parameterShapes(plan);
  const places = new Map(
    tensorPlaces(folder).map((place) => {
      const { name, kind, shape } = storedTensor(place.name, place);
      return [
        name,
        { ...place, shape, type: kind === undefined ? FLOATS[place.dtype] : blockTypeNamed(kind) },
      ];
    }),
  );
  const { prefix } = plan.names;
  const missing: string[] = [];
  const mismatched: string[] = [];
  const tensors: WrittenTensor[] = [];
  for (const [parameter, named] of tensorNames(plan, shapes.keys())) {
    const shape = shapes.get(parameter)!;
    const short = parameter.startsWith(prefix) ? parameter.slice(prefix.length) : parameter;
    const place = places.get(parameter) ?? places.get(short);
    if (place === undefined) missing.push(parameter);
    else if (place.shape.join() !== shape.join())
      mismatched.push(`${parameter}: [${place.shape.join(", ")}], expected [${shape.join(", ")}]`);
    else {
      const source = { place, files, named, architecture, transposed: plan.transposed && named.isLinear };
      tensors.push(
        arrangedTensor(source, (turned) =>
          tensorType(type, named.name, turned, { layers: plan.layers.length, tied: plan.tied }),
        ),
      );
    }
  }
  if (missing.length + mismatched.length > 0) throw new ModelWeightsError(folder, { missing, mismatched });
  return tensors;
}

/** A tensor of the folder by its elements: their shape, and how they are stored. */
interface StoredPlace extends TensorPlace {
  /** Undefined for a dtype that is not written. */
  readonly type: BlockType | undefined;
}

interface Source {
  readonly place: StoredPlace;
  readonly files: Files;
  readonly named: NamedTensor;
  readonly architecture: GgufArchitecture;
  readonly transposed: boolean;
}

/** Elements that are packed at a time, about. */
const PIECE = 1 << 18;

function arrangedTensor(source: Source, typeOf: (shape: readonly number[]) => BlockType): WrittenTensor {
  const { place, named, transposed } = source;
  const isTurned = transposed && place.shape.length === 2;
  const shape = isTurned ? [...place.shape].reverse() : place.shape;
  const type = typeOf(shape);
  return {
    ...{ name: named.name, type, shape },
    write: (put) => {
      for (const values of pieces(source, isTurned)) {
        const out = new Uint8Array((values.length / type.elements) * type.bytes);
        quantize(type, values, out);
        put(out);
      }
    },
  };
}

const FLOATS: Readonly<Record<string, BlockType>> = {
  F32: blockTypeNamed("F32"),
  F16: blockTypeNamed("F16"),
  BF16: blockTypeNamed("BF16"),
};

function readRows({ place, files }: Source, row: number, count: number): Float32Array {
  const { type } = place;
  if (type === undefined)
    throw new GgufError(place.file, `is of ${place.dtype}; F32, F16 and BF16 are written`, {
      what: place.name,
    });
  const rows = place.shape[0] ?? 1;
  const rowBytes = place.bytes / rows;
  const values = new Float32Array(((count * rowBytes) / type.bytes) * type.elements);
  dequantize(type, files.read(place.file, place.begin + row * rowBytes, count * rowBytes), values);
  return values;
}

function* pieces(source: Source, isTurned: boolean): Generator<Float32Array> {
  const { place, named, architecture } = source;
  const [rows, columns] = [place.shape[0] ?? 1, place.shape[1] ?? 1];
  const heads = architecture.neighborPairs ? named.pairedHeads : undefined;
  if (isTurned || place.shape.length < 2) {
    const values = readRows(source, 0, rows);
    if (isTurned) yield transpose(values, rows, columns);
    else if (heads !== undefined) yield paired(values, rows, 1, heads);
    else {
      if (named.isNorm) for (let i = 0; i < rows; i++) values[i]! += architecture.normOffset;
      yield values;
    }
    return;
  }
  const unit = heads === undefined ? 1 : rows / heads;
  const step = unit * Math.max(1, Math.floor(PIECE / (columns * unit)));
  for (let row = 0; row < rows; row += step) {
    const count = Math.min(step, rows - row);
    const values = readRows(source, row, count);
    yield heads === undefined ? values : paired(values, count, columns, count / unit);
  }
}

function paired(values: Float32Array, rows: number, columns: number, heads: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    out.set(values.subarray(row * columns, (row + 1) * columns), pairedRow(row, rows, heads) * columns);
  return out;
}
