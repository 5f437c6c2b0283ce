// How GGUF stores a tensor's elements: by type, in blocks of so many elements and bytes. Numbers and sizes as in ggml's
// ggml_type (github.com/ggml-org/ggml).

export interface BlockType {
  readonly id: number;
  readonly name: string;
  /** Elements of a row that one block holds. */
  readonly elements: number;
  readonly bytes: number;
}

const TYPES: readonly (readonly [id: number, name: string, elements: number, bytes: number])[] = [
  [0, "F32", 1, 4],
  [1, "F16", 1, 2],
  [2, "Q4_0", 32, 18],
  [3, "Q4_1", 32, 20],
  [6, "Q5_0", 32, 22],
  [7, "Q5_1", 32, 24],
  [8, "Q8_0", 32, 34],
  [10, "Q2_K", 256, 84],
  [11, "Q3_K", 256, 110],
  [12, "Q4_K", 256, 144],
  [13, "Q5_K", 256, 176],
  [14, "Q6_K", 256, 210],
  [16, "IQ2_XXS", 256, 66],
  [17, "IQ2_XS", 256, 74],
  [18, "IQ3_XXS", 256, 98],
  [19, "IQ1_S", 256, 50],
  [20, "IQ4_NL", 32, 18],
  [21, "IQ3_S", 256, 110],
  [22, "IQ2_S", 256, 82],
  [23, "IQ4_XS", 256, 136],
  [29, "IQ1_M", 256, 56],
  [30, "BF16", 1, 2],
];

export const BLOCK_TYPES: readonly BlockType[] = TYPES.map(([id, name, elements, bytes]) => ({
  id,
  name,
  elements,
  bytes,
}));

/** Types that ggml has and that are not read here, by name, for errors. */
export const OTHER_TYPES: Readonly<Record<number, string>> = {
  ...{ 4: "Q4_2", 5: "Q4_3", 9: "Q8_1", 15: "Q8_K", 24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64" },
  ...{ 31: "Q4_0_4_4", 32: "Q4_0_4_8", 33: "Q4_0_8_8", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4", 40: "NVFP4" },
};

const byId = new Map(BLOCK_TYPES.map((type) => [type.id, type]));
const byName = new Map(BLOCK_TYPES.map((type) => [type.name, type]));

export function blockType(id: number): BlockType | undefined {
  return byId.get(id);
}

/** @throws {RangeError} for a name that is none: a bug of the caller */
export function blockTypeNamed(name: string): BlockType {
  const type = byName.get(name);
  if (type === undefined) throw new RangeError(`no block type is named ${name}`);
  return type;
}
