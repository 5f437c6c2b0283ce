// A GGUF file → a Hugging Face folder: config, tokenizer, chat template, and weights expanded block by block, a few rows at
// a time. Pure, so that a plan can do it too.
import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type RawTensor, writeRawShards } from "@promptloss/torch/files";
import type { WeightDtype } from "../../dtypes.ts";
import { replaceFolder } from "../../files/atomic.ts";
import type { JsonObject } from "../../json-object.ts";
import { type ModelConfig, parseModelConfig } from "../config/model-config.ts";
import { numelOf, parameterShapes, type Shape } from "../config/parameters.ts";
import { ModelWeightsError } from "../errors.ts";
import { ARCHITECTURES, type GgufArchitecture, ROPE_TENSORS } from "./architectures.ts";
import { dequantize } from "./blocks/dequantize.ts";
import { toBfloat16, toHalf } from "./blocks/half.ts";
import { Metadata } from "./fields.ts";
import { GgufError } from "./format/errors.ts";
import { type GgufHead, type GgufTensor, readGgufHead } from "./format/read.ts";
import { readBytes, transpose } from "./rows.ts";
import { storedName } from "./stored-tensor.ts";
import { type NamedTensor, pairedRow, tensorNames } from "./tensor-names.ts";
import { readTokenizer, type TokenizerFiles } from "./tokenizer.ts";

export interface ImportGgufOptions {
  /** Of the written weights; where left out the file's own for floats, and bfloat16 for blocks of few bits. */
  readonly dtype?: WeightDtype | undefined;
  /**
   * Write matrices of few bits as rows of the file's own blocks, which `loadModel` reads and other programs do not; false
   * where left out. Nothing is expanded, but what has to be turned round.
   */
  readonly keepBlocks?: boolean;
  /** Told what will be written, once the file has been found to be in order. */
  readonly onStart?: (imported: ImportedGguf) => void;
}

export interface ImportedGguf {
  /** `general.architecture`. */
  readonly architecture: string;
  readonly dtype: WeightDtype;
  /** Of all weights, in elements. */
  readonly parameters: number;
  /** Of all weights as written. */
  readonly bytes: number;
  readonly notes: readonly string[];
}

/**
 * Writes a folder that `loadModel` and transformers read, in the place of one that is there.
 * @throws {GgufError} for a file that is damaged, or of an architecture, type or tokenizer that is not supported
 * @throws {ModelWeightsError} where tensors are missing, unknown or of another shape
 */
export function importGguf(path: string, folder: string, options: ImportGgufOptions = {}): ImportedGguf {
  const head = readGgufHead(path);
  const { architecture, config, tokenizer, notes } = describe(head);
  const dtype = options.dtype ?? storedDtype(head);
  const plan = planWeights(head, architecture, config);
  const parameters = plan.reduce((sum, { shape }) => sum + numelOf(shape), 0);
  const keepsBlocks = (planned: PlannedWeight): boolean => options.keepBlocks === true && isOfBlocks(planned);
  const bytes = plan.reduce((sum, each) => sum + bytesOf(each, dtype, keepsBlocks(each)), 0);
  const imported = { architecture: architecture.name, dtype, parameters, bytes, notes };
  options.onStart?.(imported);
  replaceFolder(folder, (draft) => {
    const write = (name: string, value: object): void =>
      writeFileSync(join(draft, name), `${JSON.stringify(value, undefined, 2)}\n`);
    write("config.json", { ...config.json, dtype });
    if (tokenizer !== undefined) writeTokenizer(draft, tokenizer, write);
    const file = openSync(path, "r");
    try {
      const tensors = plan.map((each) =>
        keepsBlocks(each) ? blockTensor(file, path, each) : rawTensor(file, path, each, dtype),
      );
      writeRawShards(draft, tensors, { metadata: { format: "pt" } });
    } finally {
      closeSync(file);
    }
  });
  return imported;
}

function writeTokenizer(
  folder: string,
  { tokenizer, config, generation, chatTemplate }: TokenizerFiles,
  write: (name: string, value: object) => void,
): void {
  // A vocabulary is long: a line for each of its tokens would be twice the file.
  writeFileSync(join(folder, "tokenizer.json"), `${JSON.stringify(tokenizer)}\n`);
  write("tokenizer_config.json", config);
  write("generation_config.json", generation);
  if (chatTemplate !== undefined) writeFileSync(join(folder, "chat_template.jinja"), chatTemplate);
}

interface Described {
  readonly architecture: GgufArchitecture;
  readonly config: ModelConfig;
  readonly tokenizer: TokenizerFiles | undefined;
  readonly notes: readonly string[];
}

function describe(head: GgufHead): Described {
  const metadata = new Metadata(head);
  checkKind(metadata);
  const architecture = architectureOf(metadata);
  const embedding = head.tensors.get("token_embd.weight");
  const rows = embedding?.shape[0];
  if (rows === undefined || embedding?.shape.length !== 2)
    throw new GgufError(head.path, "has no matrix token_embd.weight, the embedding");
  const tokenizer = readTokenizer(metadata, rows, architecture);
  const name = metadata.text("general.architecture")!;
  const json: JsonObject = {
    ...architecture.config({
      ...{ metadata, tensors: head.tensors },
      key: (key) => `${name}.${key}`,
      values: (tensor) => smallTensor(head, tensor),
    }),
    vocab_size: rows,
    ...(tokenizer?.ids.bos !== undefined && { bos_token_id: tokenizer.ids.bos }),
    ...(tokenizer?.ids.eos !== undefined && { eos_token_id: tokenizer.ids.eos }),
  };
  if (headIsEmbedding(head)) json.tie_word_embeddings = true;
  const parsed = parseModelConfig(json, { path: head.path });
  const config = { ...parsed, json: { architectures: [parsed.family.architecture], ...json } };
  const notes = [
    ...(tokenizer === undefined ? [`${head.path}: has no tokenizer; the folder has none either`] : []),
    ...(tokenizer?.notes ?? []),
  ];
  return { architecture, config, tokenizer, notes };
}

function checkKind(metadata: Metadata): void {
  const type = metadata.text("general.type") ?? "model";
  if (type !== "model")
    throw metadata.error(
      "general.type",
      `the file holds ${type === "adapter" ? "an adapter" : type}, no model`,
    );
  if ((metadata.number("split.count") ?? 1) > 1)
    throw metadata.error(
      "split.count",
      "the file is one part of several",
      "join them first: llama-gguf-split --merge FIRST-PART whole.gguf",
    );
}

function architectureOf(metadata: Metadata): GgufArchitecture {
  const name = metadata.text("general.architecture");
  const found = ARCHITECTURES.find((each) => each.name === name);
  if (found !== undefined) return found;
  const known = ARCHITECTURES.map((each) => each.name).join(", ");
  throw metadata.error(
    "general.architecture",
    name === undefined ? "is missing" : `${JSON.stringify(name)} is not supported; supported are ${known}`,
  );
}

/** The most elements of a tensor that is read for the config. */
const SMALL = 1 << 16;

function smallTensor(head: GgufHead, name: string): Float32Array | undefined {
  const tensor = head.tensors.get(name);
  if (tensor === undefined) return undefined;
  const count = numelOf(tensor.shape);
  if (count > SMALL) throw new GgufError(head.path, `has ${count} elements`, { what: name });
  const file = openSync(head.path, "r");
  try {
    const values = new Float32Array(count);
    dequantize(tensor.type, readBytes(file, head.path, tensor.begin, tensor.bytes), values);
    return values;
  } finally {
    closeSync(file);
  }
}

/** Whether the file has the embedding twice, as old files of tied models do. */
function headIsEmbedding({ path, tensors }: GgufHead): boolean {
  const [output, embedding] = [tensors.get("output.weight"), tensors.get("token_embd.weight")];
  if (output === undefined || embedding === undefined) return false;
  if (output.type !== embedding.type || output.shape.join() !== embedding.shape.join()) return false;
  const file = openSync(path, "r");
  try {
    for (let done = 0; done < output.bytes; done += PIECE_BYTES) {
      const length = Math.min(PIECE_BYTES, output.bytes - done);
      const [a, b] = [output, embedding].map(({ begin }) => readBytes(file, path, begin + done, length));
      if (!a!.equals(b!)) return false;
    }
    return true;
  } finally {
    closeSync(file);
  }
}

const FLOATS: Readonly<Record<string, WeightDtype>> = {
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
};

/** The matrices' own dtype where they have one; float32 holds the others; blocks of few bits become bfloat16. */
function storedDtype({ tensors }: GgufHead): WeightDtype {
  const matrices = [...tensors.values()].filter(({ shape }) => shape.length > 1);
  const dtypes = new Set(matrices.map(({ type }) => FLOATS[type.name]));
  if (dtypes.has(undefined)) return "bfloat16";
  return dtypes.size === 1 ? [...dtypes][0]! : "float32";
}

interface PlannedWeight extends NamedTensor {
  readonly parameter: string;
  readonly shape: Shape;
  readonly stored: GgufTensor;
  readonly transposed: boolean;
  readonly architecture: GgufArchitecture;
}

function planWeights(
  head: GgufHead,
  architecture: GgufArchitecture,
  { architecture: model }: ModelConfig,
): PlannedWeight[] {
  const shapes = parameterShapes(model);
  const names = tensorNames(model, shapes.keys());
  const left = new Set(head.tensors.keys());
  for (const name of ROPE_TENSORS) left.delete(name);
  if (model.tied) left.delete("output.weight");
  const missing: string[] = [];
  const mismatched: string[] = [];
  const plan: PlannedWeight[] = [];
  for (const [parameter, named] of names) {
    const shape = shapes.get(parameter)!;
    const stored = head.tensors.get(named.name);
    left.delete(named.name);
    const transposed = model.transposed && named.isLinear && shape.length === 2;
    const expected = transposed ? [...shape].reverse() : shape;
    if (stored === undefined) missing.push(named.name);
    else if (stored.shape.join() !== expected.join())
      mismatched.push(`${named.name}: [${stored.shape.join(", ")}], expected [${expected.join(", ")}]`);
    else plan.push({ ...named, parameter, shape, stored, transposed, architecture });
  }
  if (missing.length + left.size + mismatched.length > 0)
    throw new ModelWeightsError(head.path, { missing, unexpected: [...left], mismatched });
  return plan;
}

const ITEM_BYTES = { bfloat16: 2, float16: 2, float32: 4 } as const;
const CODES = { bfloat16: "BF16", float16: "F16", float32: "F32" } as const;
/** Of the file, read and expanded at a time; more where a row takes more. */
const PIECE_BYTES = 1 << 18;

/** Whether a weight is a matrix of whole rows of blocks, as the model has it or with its rows in another order. */
function isOfBlocks({ stored, transposed }: PlannedWeight): boolean {
  return stored.type.elements > 1 && stored.shape.length === 2 && !transposed;
}

function bytesOf({ shape, stored }: PlannedWeight, dtype: WeightDtype, keepsBlocks: boolean): number {
  return keepsBlocks ? stored.bytes : numelOf(shape) * ITEM_BYTES[dtype];
}

/** Rows of blocks as they lie in the file, in Hugging Face's order of rows. */
function blockTensor(file: number, path: string, planned: PlannedWeight): RawTensor {
  const { parameter, stored } = planned;
  const rows = stored.shape[0]!;
  const rowBytes = stored.bytes / rows;
  return {
    ...{ name: storedName(parameter, stored.type.name), dtype: "U8", shape: [rows, rowBytes] },
    ...{ bytes: stored.bytes, itemBytes: 1 },
    write: (write) => {
      for (const { row, count, heads } of rowPieces(planned)) {
        const bytes = readBytes(file, path, stored.begin + row * rowBytes, count * rowBytes);
        write(heads === undefined ? bytes : unpaired(bytes, count, rowBytes, heads));
      }
    },
  };
}

function rawTensor(file: number, path: string, planned: PlannedWeight, dtype: WeightDtype): RawTensor {
  const { parameter, shape } = planned;
  const put = narrowing(dtype);
  return {
    ...{ name: parameter, dtype: CODES[dtype], shape },
    bytes: numelOf(shape) * ITEM_BYTES[dtype],
    itemBytes: ITEM_BYTES[dtype],
    write: (write) => {
      for (const values of arranged(file, path, planned)) write(put(values));
    },
  };
}

/** Numbers as the bytes of a dtype, in memory that the next call takes again. */
function narrowing(dtype: WeightDtype): (values: Float32Array) => Uint8Array {
  if (dtype === "float32")
    return (values) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const narrow = dtype === "bfloat16" ? toBfloat16 : toHalf;
  let target = new Uint16Array(0);
  return (values) => {
    if (target.length < values.length) target = new Uint16Array(values.length);
    narrow(new Int32Array(values.buffer, values.byteOffset, values.length), target);
    return new Uint8Array(target.buffer, 0, 2 * values.length);
  };
}

/** A tensor's elements in Hugging Face's arrangement, piece by piece. */
function* arranged(file: number, path: string, planned: PlannedWeight): Generator<Float32Array> {
  const { stored, transposed, isNorm, architecture } = planned;
  const [rows, columns] = [stored.shape[0] ?? 1, numelOf(stored.shape.slice(1))];
  if (transposed) {
    yield transpose(readRows(file, path, stored, 0, rows), rows, columns);
    return;
  }
  for (const { row, count, heads } of rowPieces(planned)) {
    const values = readRows(file, path, stored, row, count);
    if (isNorm && architecture.normOffset !== 0)
      for (let i = 0; i < values.length; i++) values[i]! -= architecture.normOffset;
    yield heads === undefined ? values : unpaired(values, count, columns, heads);
  }
}

interface RowPiece {
  readonly row: number;
  readonly count: number;
  /** Whole heads whose rows are paired; undefined where none are. */
  readonly heads: number | undefined;
}

/** A weight's rows, so many at a time that they are about a piece of the file. */
function* rowPieces({ stored, pairedHeads, architecture }: PlannedWeight): Generator<RowPiece> {
  const rows = stored.shape[0] ?? 1;
  const paired = architecture.neighborPairs && pairedHeads !== undefined ? pairedHeads : undefined;
  const rowBytes = stored.bytes / rows;
  const unit = paired === undefined ? 1 : rows / paired;
  const step = unit * Math.max(1, Math.floor(PIECE_BYTES / (rowBytes * unit)));
  // One-dimensional tensors may be one row of blocks: a bias or a norm is read whole.
  const whole = stored.shape.length < 2;
  for (let row = 0; row < rows; row += whole ? rows : step) {
    const count = whole ? rows : Math.min(step, rows - row);
    yield { row, count, heads: paired === undefined ? undefined : paired * (count / rows) };
  }
}

/** Rows of elements, or of bytes, with heads' rows half a head apart in place of neighbors. */
function unpaired<T extends Float32Array | Uint8Array>(
  values: T,
  rows: number,
  columns: number,
  heads: number,
): T {
  const out = (
    values instanceof Float32Array ? new Float32Array(values.length) : new Uint8Array(values.length)
  ) as T;
  for (let row = 0; row < rows; row++) {
    const from = pairedRow(row, rows, heads) * columns;
    out.set(values.subarray(from, from + columns), row * columns);
  }
  return out;
}

function readRows(file: number, path: string, stored: GgufTensor, row: number, count: number): Float32Array {
  const { shape, bytes, begin, type } = stored;
  const rows = shape[0] ?? 1;
  const rowBytes = bytes / rows;
  const values = new Float32Array(count * numelOf(shape.slice(1)));
  dequantize(type, readBytes(file, path, begin + row * rowBytes, count * rowBytes), values);
  return values;
}
