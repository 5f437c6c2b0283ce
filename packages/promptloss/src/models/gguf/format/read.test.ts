// The head of GGUF files: what a well-formed one says, and what damaged and hostile ones are told.
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { PromptlossError } from "../../../errors.ts";
import { importGguf } from "../import.ts";
import { blockTypeNamed } from "./block-types.ts";
import { GgufError } from "./errors.ts";
import { readGgufHead } from "./read.ts";
import { bool, float32, type Typed, text, uint32, writeGguf } from "./write.ts";

const folder = mkdtempSync(join(tmpdir(), "gguf-read-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, "model.gguf");

/** Little-endian numbers and strings in a row. */
function bytes(...parts: (readonly ["u32" | "u64", number | bigint] | string)[]): Buffer {
  return Buffer.concat(
    parts.map((part) => {
      if (typeof part === "string")
        return Buffer.concat([bytes(["u64", Buffer.byteLength(part)]), Buffer.from(part)]);
      const buffer = Buffer.alloc(part[0] === "u32" ? 4 : 8);
      if (part[0] === "u32") buffer.writeUInt32LE(Number(part[1]));
      else buffer.writeBigUInt64LE(BigInt(part[1]));
      return buffer;
    }),
  );
}

function headOf(tensors: number | bigint, metadata: number | bigint, ...rest: Buffer[]): Buffer {
  return Buffer.concat([
    Buffer.from("GGUF"),
    bytes(["u32", 3], ["u64", tensors], ["u64", metadata]),
    ...rest,
  ]);
}

function readOf(content: Uint8Array): ReturnType<typeof readGgufHead> {
  writeFileSync(path, content);
  return readGgufHead(path);
}

const HUGE = 2n ** 60n;
const F32 = 0;

function tensor(
  sizes: readonly (number | bigint)[],
  type = F32,
  offset: number | bigint = 0,
  name = "t",
): Buffer {
  return bytes(
    name,
    ["u32", sizes.length],
    ...sizes.map((size) => ["u64", size] as const),
    ["u32", type],
    ["u64", offset],
  );
}

test("what is written is read: every type of value, and tensors with their places", () => {
  const metadata = new Map<string, Typed>([
    ["a", uint32(7)],
    ["b", float32(0.5)],
    ["c", bool(true)],
    ["d", text("Ünï")],
    ["e", { type: "strings", value: ["x", "", "▁"] }],
    ["f", { type: "float32s", value: [1, -2.5] }],
    ["g", { type: "int32s", value: [-1, 3] }],
  ]);
  const first = Uint8Array.from({ length: 34 }, (_, i) => i);
  const second = new Uint8Array(Float32Array.of(1, 2, 3).buffer);
  writeGguf(path, metadata, [
    { name: "x", type: blockTypeNamed("Q8_0"), shape: [1, 32], write: (put) => put(first) },
    { name: "y", type: blockTypeNamed("F32"), shape: [3], write: (put) => put(second) },
  ]);
  const head = readGgufHead(path);
  expect(
    [...head.metadata.entries()].map(([key, value]) => [
      key,
      ArrayBuffer.isView(value) ? [...(value as Float32Array)] : value,
    ]),
  ).toEqual([
    ["a", 7],
    ["b", 0.5],
    ["c", true],
    ["d", "Ünï"],
    ["e", ["x", "", "▁"]],
    ["f", [1, -2.5]],
    ["g", [-1, 3]],
  ]);
  const file = readFileSync(path);
  for (const [name, content] of [
    ["x", first],
    ["y", second],
  ] as const) {
    const { begin, bytes: length } = head.tensors.get(name)!;
    expect(begin % 32).toBe(0);
    expect([...file.subarray(begin, begin + length)]).toEqual([...content]);
  }
  expect(head.tensors.get("x")!.shape).toEqual([1, 32]);
});

describe("refused", () => {
  test.each<[string, Buffer, RegExp]>([
    ["an empty file", Buffer.alloc(0), /is no GGUF file/],
    ["another file", Buffer.from("a file of some other kind, long enough"), /is no GGUF file/],
    [
      "the first version",
      Buffer.concat([Buffer.from("GGUF"), bytes(["u32", 1], ["u64", 0], ["u64", 0])]),
      /version 1/,
    ],
    [
      "big-endian",
      Buffer.concat([Buffer.from("GGUF"), Buffer.from([0, 0, 0, 3]), bytes(["u64", 0], ["u64", 0])]),
      /big-endian/,
    ],
    ["more tensors than bytes", headOf(HUGE, 0), /number of tensors: .*no count/],
    ["some more tensors than bytes", headOf(1000, 0), /number of tensors: 1000 is more/],
    ["more metadata than bytes", headOf(0, 9999), /number of metadata: 9999 is more/],
    ["a key longer than the file", headOf(0, 1, bytes(["u64", 5000]), Buffer.alloc(9)), /needs 5000 bytes/],
    ["a string longer than the file", headOf(0, 1, bytes("k", ["u32", 8], ["u64", 1 << 30])), /"k": needs/],
    [
      "an array longer than the file",
      headOf(0, 1, bytes("k", ["u32", 9], ["u32", 0], ["u64", 1 << 30])),
      /"k": has 1073741824 elements/,
    ],
    [
      "an array of strings longer than the file",
      headOf(0, 1, bytes("k", ["u32", 9], ["u32", 8], ["u64", 1 << 20])),
      /more than fit/,
    ],
    [
      "arrays in arrays in arrays",
      headOf(
        0,
        1,
        bytes(
          "k",
          ["u32", 9],
          ...Array.from(
            { length: 9 },
            () =>
              [
                ["u32", 9],
                ["u64", 1],
              ] as const,
          ).flat(),
        ),
      ),
      /arrays within/,
    ],
    ["an unknown type of value", headOf(0, 1, bytes("k", ["u32", 13]), Buffer.alloc(16)), /13 is no type/],
    [
      "a key twice",
      headOf(0, 2, bytes("k", ["u32", 4], ["u32", 1], "k", ["u32", 4], ["u32", 1])),
      /"k": is there twice/,
    ],
    [
      "a broken alignment",
      headOf(0, 1, bytes("general.alignment", ["u32", 4], ["u32", 7])),
      /7 is no alignment/,
    ],
    ["five dimensions", headOf(1, 0, tensor([1, 1, 1, 1, 1])), /5 dimensions/],
    ["an unknown type of tensor", headOf(1, 0, tensor([32], 99)), /of type 99, which is not read/],
    ["a type that is not supported, by its name", headOf(1, 0, tensor([256], 34)), /of type TQ1_0/],
    ["a row of broken blocks", headOf(1, 0, tensor([33], 8)), /33 elements, which are no whole blocks of 32/],
    [
      "sizes whose product overflows",
      headOf(1, 0, tensor([2 ** 32, 2 ** 32, 2 ** 32])),
      /takes \d+ bytes, the file has/,
    ],
    ["a size beyond counting", headOf(1, 0, tensor([HUGE])), /no count/],
    ["a tensor past the end", headOf(1, 0, tensor([4], F32, 1 << 20)), /ends at byte \d+, the file has/],
    ["an offset beyond counting", headOf(1, 0, tensor([4], F32, HUGE)), /no count/],
    ["an offset that is not aligned", headOf(1, 0, tensor([1], F32, 4), Buffer.alloc(64)), /not aligned/],
    ["a tensor twice", headOf(2, 0, tensor([1]), tensor([1]), Buffer.alloc(64)), /is there twice/],
    [
      "tensors over each other",
      headOf(2, 0, tensor([16]), tensor([16], F32, 32, "u"), Buffer.alloc(256)),
      /overlaps/,
    ],
    [
      "a Git LFS pointer",
      Buffer.from("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"),
      /Git LFS pointer/,
    ],
  ])("%s", (_, content, message) => {
    expect(() => readOf(content)).toThrow(GgufError);
    expect(() => readOf(content)).toThrow(message);
  });

  test("a file that was cut short anywhere", () => {
    const sample = sampleFile();
    fc.assert(
      fc.property(fc.nat(sample.length - 1), (length) => {
        writeFileSync(path, sample);
        truncateSync(path, length);
        expect(() => readGgufHead(path)).toThrow(GgufError);
      }),
      { numRuns: 60 },
    );
  });
});

/** A small model with a tokenizer. */
function sampleFile(): Buffer {
  const tokens = [
    "<unk>",
    "<s>",
    "</s>",
    ...Array.from({ length: 29 }, (_, i) => String.fromCharCode(97 + i)),
  ];
  const metadata = new Map<string, Typed>([
    ["general.architecture", text("llama")],
    ...Object.entries({
      embedding_length: 32,
      feed_forward_length: 32,
      block_count: 1,
      context_length: 16,
    }).map(([key, value]) => [`llama.${key}`, uint32(value)] as const),
    ["llama.attention.head_count", uint32(2)],
    ["llama.attention.layer_norm_rms_epsilon", float32(1e-5)],
    ["tokenizer.ggml.model", text("llama")],
    ["tokenizer.ggml.tokens", { type: "strings", value: tokens }],
    ["tokenizer.ggml.scores", { type: "float32s", value: tokens.map((_, i) => -i) }],
    ["tokenizer.ggml.token_type", { type: "int32s", value: tokens.map((_, i) => (i < 3 ? 3 : 1)) }],
    ["tokenizer.ggml.bos_token_id", uint32(1)],
  ]);
  const names = ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"];
  const matrices = ["token_embd.weight", "output.weight", ...names.map((name) => `blk.0.${name}.weight`)];
  const norms = ["output_norm.weight", "blk.0.attn_norm.weight", "blk.0.ffn_norm.weight"];
  writeGguf(path, metadata, [
    ...matrices.map((name) => ({
      ...{ name, type: blockTypeNamed("Q8_0"), shape: [32, 32] },
      write: (put: (piece: Uint8Array) => void) => put(new Uint8Array(34 * 32).fill(1)),
    })),
    ...norms.map((name) => ({
      ...{ name, type: blockTypeNamed("F32"), shape: [32] },
      write: (put: (piece: Uint8Array) => void) => put(new Uint8Array(128)),
    })),
  ]);
  return readFileSync(path);
}

test("a file with any bytes changed is imported or is an error of ours, in no more memory than its size asks for", () => {
  const sample = sampleFile();
  const output = join(folder, "out");
  writeFileSync(path, sample);
  importGguf(path, output);
  const end = readGgufHead(path).dataStart;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(end - 1), fc.oneof(fc.nat(255), fc.constantFrom(0, 127, 128, 255))), {
        minLength: 1,
        maxLength: 4,
      }),
      (changes) => {
        const changed = Buffer.from(sample);
        for (const [at, value] of changes) changed[at] = value;
        writeFileSync(path, changed);
        try {
          importGguf(path, output);
        } catch (error) {
          if (!(error instanceof PromptlossError)) throw error;
          expect(error.message).toContain(path);
        }
      },
    ),
    { numRuns: 100 },
  );
});
