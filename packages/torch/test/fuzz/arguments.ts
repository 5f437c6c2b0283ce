// One random argument of a kind that signatures.ts names: mostly of that kind, at times of none.
// Sizes are small, or beyond any memory (2^52 and more), never between: nothing here may legitimately fill the
// machine or take minutes.
import * as torch from "../../src/index.ts";
import type { Source } from "./source.ts";
import { dtypes, floats, randomTensor, type Theme, type Wanted } from "./tensors.ts";

export interface Made {
  readonly value: unknown;
  readonly text: string;
}

function made(value: unknown, text = write(value)): Made {
  return { value, text };
}

function write(value: unknown): string {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "string") return JSON.stringify(value);
  if (Object.is(value, -0)) return "-0";
  if (Array.isArray(value)) return `[${Array.from(value, write).join(", ")}]`;
  return String(value);
}

const absurd = [2 ** 53, 2n ** 62n, 2n ** 63n - 1n, -(2n ** 63n), -(2 ** 53), 2n ** 64n];
const oddNumbers = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  -0,
  0.5,
  -1.5,
  1e300,
  1e-300,
];
const edges = [-1, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 32, 255, 256, -129];

function cycle(): unknown[] {
  const array: unknown[] = [];
  array.push(array);
  return array;
}

function refuse(): never {
  throw new torch.TorchError("a trap was sprung");
}

function trap(): unknown[] {
  return Object.defineProperty([1, 2], 1, { get: refuse });
}

/** Nothing that any parameter takes, or only by chance. */
const junk: readonly (() => Made)[] = [
  () => made(undefined),
  () => made(null),
  () => made(""),
  () => made("3n"),
  () => made("float32"),
  () => made("a\0b"),
  () => made("é".repeat(50)),
  () => made(true),
  () => made(false),
  () => made([]),
  () => made([[]]),
  () => made([1, [2]]),
  () => made([null]),
  () => made([undefined, 1]),
  () => made(["a"]),
  // As sizes these ask for more than any machine has; 2³² would be granted, and a small machine would end.
  () => made([2n ** 52n], "[2n ** 52n]"),
  () => made(2n ** 52n + 1n),
  () => made([0.5, Number.NaN]),
  () => made(new Array(3), "new Array(3)"),
  () => made(cycle(), "an array that holds itself"),
  () => made({}, "{}"),
  () => made(Object.create(null), "Object.create(null)"),
  () => made({ step: "x", start: {}, end: [] }, '{ step: "x", start: {}, end: [] }'),
  () => made({ length: 5 }, "{ length: 5 }"),
  () => made(new Date(0), "a Date"),
  () => made(Symbol("s"), "a symbol"),
  () => made(() => 1, "a function"),
  () => made(new Float32Array(2), "a Float32Array"),
  () => made(new ArrayBuffer(8), "an ArrayBuffer"),
  () => made(new Map(), "a Map"),
  () => made(new Proxy([], {}), "a Proxy of []"),
  () => made(trap(), "an array with a getter that throws"),
  () => made(new Proxy([1, 2], { get: refuse }), "a Proxy that throws"),
  () => made(Object.create(torch.Tensor.prototype), "an object with a tensor's prototype"),
];

function number(source: Source): Made {
  const draw = source.int(0, 9);
  if (draw < 6) return made(source.int(-3, 4));
  if (draw < 8) return made(source.pick(oddNumbers));
  return made(source.pick<number | bigint>([2 ** 53, -(2 ** 53), 1e300]));
}

/** A number of which none is the size of anything. */
function position(source: Source): Made {
  const draw = source.int(0, 19);
  if (draw < 15) return made(source.int(-4, 4));
  return made(source.pick<number | bigint>(draw < 17 ? edges : draw < 18 ? oddNumbers : absurd));
}

function size(source: Source): Made {
  const draw = source.int(0, 19);
  if (draw < 16) return made(source.int(0, 5));
  return made(source.pick<number | bigint>(draw < 17 ? [-1, -2] : draw < 18 ? oddNumbers : absurd));
}

function shape(source: Source, theme: Theme): Made {
  const draw = source.int(0, 19);
  if (draw < 7) return made([...theme.shape]);
  if (draw < 9) return made([...theme.shape, -1]);
  if (draw < 10) return made([theme.shape.reduce((a, b) => a * b, 1)]);
  if (draw < 11) return made(Array.from({ length: source.pick([64, 65, 200]) }, () => 1));
  return made(Array.from({ length: source.int(0, 4) }, () => size(source).value));
}

function scalar(source: Source): Made {
  const draw = source.int(0, 9);
  if (draw < 5) return number(source);
  return draw < 8 ? position(source) : made(source.chance(0.5));
}

function typedArray(source: Source): Made {
  const constructors = [
    Float32Array,
    Float64Array,
    Uint16Array,
    BigInt64Array,
    Int32Array,
    Uint8Array,
    Uint32Array,
  ];
  const arrayClass = source.pick(constructors);
  const length = source.int(0, 12);
  const offset = source.int(0, 2) * arrayClass.BYTES_PER_ELEMENT;
  const bytes = length * arrayClass.BYTES_PER_ELEMENT + offset;
  const kind = source.pick(["plain", "plain", "plain", "shared", "resizable", "detached", "DataView"]);
  const text = `${kind} ${arrayClass.name}(${length}) at byte ${offset}`;
  if (kind === "DataView") return made(new DataView(new ArrayBuffer(bytes)), text);
  const buffer =
    kind === "shared"
      ? new SharedArrayBuffer(bytes)
      : kind === "resizable"
        ? Reflect.construct(ArrayBuffer, [bytes, { maxByteLength: bytes + 64 }])
        : new ArrayBuffer(bytes);
  const array = new arrayClass(buffer as ArrayBuffer, offset, length);
  if (kind === "detached") structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
  return made(array, text);
}

function nested(source: Source, depth: number): unknown {
  if (depth === 0)
    return source.chance(0.9) ? source.int(-2, 300) : source.pick<unknown>([true, 3n, "a", Number.NaN, null]);
  return Array.from({ length: source.chance(0.95) ? 2 : source.int(0, 3) }, () => nested(source, depth - 1));
}

/** 70 arrays in each other: more dimensions than libtorch has. */
function deep(): unknown {
  return Array.from({ length: 70 }).reduce<unknown>((inner) => [inner], 1);
}

const makers: Record<string, (source: Source, theme: Theme) => Made> = {
  tensor: (source, theme) => randomTensor(source, theme),
  float: (source, theme) => randomTensor(source, theme, source.chance(0.9) ? { dtypes: floats } : {}),
  matrix: (source, theme) => randomTensor(source, theme, source.chance(0.9) ? { rank: 2 } : {}),
  mask: (source, theme) =>
    randomTensor(source, theme, { dtypes: source.chance(0.9) ? ["bool"] : ["uint8", "int64"] }),
  index: (source, theme) =>
    randomTensor(source, theme, {
      dtypes: source.chance(0.9) ? ["int64"] : ["int16", "uint8", "bool"],
      positions: true,
    }),
  tensorOrScalar: (source, theme) => (source.chance(0.6) ? randomTensor(source, theme) : scalar(source)),
  tensorOrNumber: (source, theme) =>
    source.chance(0.6) ? randomTensor(source, theme, { dtypes: floats }) : number(source),
  leaf: (source, theme) => {
    const { value, text } = randomTensor(source, theme, { dtypes: [theme.float], shape: [], plain: true });
    value.requiresGrad = true;
    return made(value, `${text} requiring gradients`);
  },
  /** Mostly the first dimension, which all shapes but [] have. */
  axis: (source) => (source.chance(0.7) ? made(0) : position(source)),
  order: (source) => made(source.pick([[0, 1], [1, 0], [-1, 0], [1, 1], [0], [0, 1, 2]])),
  lengthOrShape: (source, theme) => (source.chance(0.6) ? made(undefined) : shape(source, theme)),
  state: (source, theme) => {
    const draw = source.int(0, 3);
    if (draw === 0) return randomTensor(source, theme);
    const bytes = torch.getRngState().toTypedArray("uint8");
    // A state is not to be trusted either: here some of its bytes are others.
    if (draw > 1) for (let i = 0; i < 4; i++) bytes[source.int(0, bytes.length - 1)] = source.int(0, 255);
    return made(torch.fromTypedArray(bytes), draw > 1 ? "a damaged state" : "the state");
  },
  tensors: (source, theme) => {
    const list = Array.from({ length: source.int(0, 3) }, () => randomTensor(source, theme));
    return made(
      list.map(({ value }) => value),
      `[${list.map(({ text }) => text).join(", ")}]`,
    );
  },
  scalar,
  number,
  dim: position,
  dims: (source) => {
    const draw = source.int(0, 9);
    if (draw < 4) return position(source);
    return made(draw < 5 ? null : Array.from({ length: source.int(0, 3) }, () => position(source).value));
  },
  bound: (source) => (source.chance(0.2) ? made(null) : position(source)),
  size,
  shape,
  shapeOrSize: (source, theme) => (source.chance(0.5) ? size(source) : shape(source, theme)),
  boolean: (source) => made(source.chance(0.5)),
  dtype: (source) => made(source.pick<string>([...dtypes, ...floats, "complex64", "int65", "quint8"])),
  device: (source) =>
    made(
      source.pick([
        "cpu",
        "cpu",
        "cpu",
        "cpu:0",
        "cpu:7",
        "meta",
        "cuda:99",
        "mkldnn",
        "nowhere",
        "cpu:-1",
        "",
      ]),
    ),
  reduction: (source) => made(source.pick(["none", "mean", "sum", "median"])),
  rounding: (source) => made(source.pick(["trunc", "floor", "up"])),
  approximate: (source) => made(source.pick(["none", "tanh", "both"])),
  equation: (source) =>
    made(source.pick(["ij,jk->ik", "ii", "i,j", "...i->i...", "ij->", "->", "", "a,b,c", "Ω", "ij,,"])),
  place: (source, theme) => {
    const draw = source.int(0, 9);
    if (draw < 3) return position(source);
    if (draw < 5) {
      const [start, end, step] = [source.int(-3, 3), source.int(-3, 3), source.int(-1, 3)];
      return made({ start, end, step }, `${start}:${end}:${step}`);
    }
    if (draw < 6) return made(null);
    if (draw < 7) return made("...");
    return (makers[draw < 9 ? "index" : "mask"] as (typeof makers)[string])(source, theme);
  },
  data: (source) => {
    const draw = source.int(0, 9);
    if (draw < 6) return made(nested(source, source.int(0, 3)));
    return draw < 9 ? typedArray(source) : made(deep(), "70 arrays in each other");
  },
  typedArray,
  typedArrays: (source) => {
    const list = Array.from({ length: source.int(0, 3) }, () => typedArray(source));
    return made(
      list.map(({ value }) => value),
      `[${list.map(({ text }) => text).join(", ")}]`,
    );
  },
  libraryWay: (source) => made(source.pick(["flash attention", "fused RMS norm", "no way", ""])),
  fusedKernel: (source) => made(source.pick([undefined, "products", "RMS norm", "no kernel", ""])),
  callback: (source, theme) => {
    const inner = randomTensor(source, theme);
    return source.pick([
      made((x: torch.Tensor) => torch.sum(torch.mul(x, x)), "(x) => sum(mul(x, x))"),
      made(() => inner.value.mul(2), `() => ${inner.text}.mul(2)`),
      made(() => [inner.value, new Map([[1, inner.value]])], `() => [${inner.text}, Map]`),
      made(async () => inner.value, `async () => ${inner.text}`),
      made(() => torch.add(inner.value, "x" as unknown as number), `() => add(${inner.text}, "x")`),
    ]);
  },
  threads: (source) => made(source.pick([0, -1, 1, 2, 1.5, 1e9, Number.NaN, "2", null])),
  // A library that exists would run its own code: no argument of that kind is safe, and none is tried.
  missingPath: (source) => made(source.pick<unknown>(["/nowhere/lib.so", "a\0b", 5, null, []])),
  /** Rows of as many bytes as 32 columns of Q4_0 and Q8_0 take and 256 of IQ2_XXS and Q2_K, or of any number. */
  blocks: (source, theme) => {
    if (source.chance(0.3)) return randomTensor(source, theme, { dtypes: ["uint8"] });
    const shape = [source.int(0, 3), source.pick([18, 34, 34, 34, 66, 84])];
    const bytes = Uint8Array.from({ length: shape[0]! * shape[1]! }, () => source.int(0, 255));
    return made(torch.fromTypedArray(bytes).reshape(shape), `blocks of ${JSON.stringify(shape)}`);
  },
  blockColumns: (source) => (source.chance(0.7) ? made(source.pick([32, 32, 32, 64, 256])) : size(source)),
  ofBlocks: (source, theme) => {
    if (source.chance(0.3)) return randomTensor(source, theme);
    const shape = [source.int(0, 3), source.pick([32, 32, 32, 64, 256])];
    return made(torch.ones(shape, { dtype: theme.float }), `ones of ${JSON.stringify(shape)}`);
  },
  blockBias: (source, theme) => (source.chance(0.7) ? made(null) : randomTensor(source, theme)),
  blockKind: (source) =>
    made(source.chance(0.4) ? "Q8_0" : source.pick<string>([...torch.BLOCK_KINDS, "", "nf4", "Q9_K"])),
  string: (source) => made(source.pick(["aten::add", "aten::add.Tensor", "", ".", "::", "aten::nothing.x"])),
  // keep() takes its tensors out of the scope in which each call runs, so here it gets none.
  nothing: (source) => source.pick(junk)(),
  anything: (source) => source.pick(junk)(),
};

function options(source: Source, theme: Theme, list: string): Made {
  const value: Record<string, unknown> = {};
  const texts: string[] = [];
  for (const entry of list.split(",")) {
    const [key, kind] = entry.split(":") as [string, string];
    if (source.chance(0.6)) continue;
    const option = argument(source, theme, kind, 0.06);
    value[key] = option.value;
    texts.push(`${key}: ${option.text}`);
  }
  return made(value, `{ ${texts.join(", ")} }`);
}

/** "float[mk]": a tensor of named dimensions, mostly; the kind of dtype alone otherwise. */
function shaped(source: Source, theme: Theme, kind: string, letters: string): Made {
  if (kind in makers && source.chance(0.1)) return (makers[kind] as (typeof makers)[string])(source, theme);
  const sizes = [...letters].map((letter) => theme.sizes[letter] as number);
  const count = sizes.reduce((product, size) => product * size, 1);
  const list = <T>(element: () => T): T[] => Array.from({ length: count }, element);
  if (kind === "ids") {
    const ids = list(() =>
      BigInt(source.int(source.chance(0.1) ? -100 : 0, Math.max(0, (theme.sizes.v as number) - 1))),
    );
    return made(torch.fromTypedArray(BigInt64Array.from(ids), sizes), `ids [${sizes}] {${ids}}`);
  }
  if (kind === "starts") {
    const [last = 0, sequences = source.int(1, 2)] = sizes;
    return made(Array.from({ length: sequences + 1 }, (_, i) => Math.floor((last * i) / sequences)));
  }
  if (kind === "pasts") {
    const [sequences = 0, capacity = 0] = sizes;
    return made(Array.from({ length: sequences }, () => source.int(0, capacity)));
  }
  if (kind === "weights") {
    const weights = list(() => source.int(0, 4) / 2);
    return made(torch.fromTypedArray(Float32Array.from(weights), sizes), `weights [${sizes}] {${weights}}`);
  }
  if (kind === "pair") {
    const pair = [1, 2].map(() => randomTensor(source, theme, { dtypes: [theme.float], shape: sizes }));
    return made(
      pair.map(({ value }) => value),
      `[${pair.map(({ text }) => text).join(", ")}]`,
    );
  }
  const dtypes: Record<string, Wanted> = {
    float: { dtypes: [theme.float] },
    index: { dtypes: ["int64"], positions: true },
  };
  return randomTensor(source, theme, { ...dtypes[kind], shape: sizes, plain: source.chance(0.6) });
}

/** An argument of `kind`, or junk with probability `misfit`. */
export function argument(source: Source, theme: Theme, kind: string, misfit: number): Made {
  if (source.chance(misfit)) return source.pick(junk)();
  if (kind.startsWith("{")) return options(source, theme, kind.slice(1, -1));
  const [, name = "", letters] = /^(\w+)\[(\w*)\]$/.exec(kind) ?? [];
  if (letters !== undefined) return shaped(source, theme, name, letters);
  const make = makers[kind];
  if (make === undefined) throw new Error(`signatures.ts names the unknown kind "${kind}"`);
  return make(source, theme);
}
