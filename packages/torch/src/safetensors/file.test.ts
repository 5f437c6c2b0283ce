import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { needs } from "../../../../test/needs.ts";
import {
  type DType,
  openSafetensors,
  randn,
  readSafetensors,
  SafetensorsError,
  scope,
  type Tensor,
  tensor,
  writeSafetensors,
  writeShardedSafetensors,
  zeros,
} from "../index.ts";

const golden = fileURLToPath(new URL("../../test/goldens/python.safetensors", import.meta.url));
const python = process.env.PROMPTLOSS_PYTHON ?? "python3";
const witness = fileURLToPath(new URL("../../test/python/safetensors_file.py", import.meta.url));
const pythonReads = spawnSync(python, ["-c", "import safetensors.torch"]).status === 0;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "safetensors-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const values = [
  [0, 1, -2.5],
  [3.25, 1000, -0.125],
];

describe("a file that Python wrote", () => {
  test.each(["float32", "float64", "bfloat16", "float16"] as const)("gives its %s", (dtype) => {
    using file = openSafetensors(golden);
    const read = file.tensor(dtype);
    expect(read.dtype).toBe(dtype);
    expect(read.toArray()).toEqual(values);
  });

  test("gives its integers, booleans, scalars and tensors of no elements", () => {
    const read = readSafetensors(golden);
    const whole = [
      [0, 1, -2],
      [3, 1000, 0],
    ];
    for (const name of ["int64", "int32", "int16"]) expect(read.get(name)?.toArray()).toEqual(whole);
    expect(read.get("uint8")?.toArray()).toEqual([0, 1, 255]);
    expect(read.get("bool")?.toArray()).toEqual([true, false, true]);
    expect(read.get("scalar")?.toArray()).toBe(7.5);
    expect(read.get("nothing")?.shape).toEqual([0, 4]);
  });

  test("gives its metadata, and names the nearest tensor for an unknown one", () => {
    using file = openSafetensors(golden);
    expect(file.metadata).toEqual({ format: "pt", note: "günstig" });
    expect(() => file.tensor("float23")).toThrow(
      expect.objectContaining({
        reason: "unknown-tensor",
        hint: expect.stringMatching(/did you mean "float\d+"/),
      }),
    );
  });
});

describe("the map", () => {
  test("tensors are views of one map and outlive the file", () => {
    const file = openSafetensors(golden);
    const [a, b] = [file.tensor("float32"), file.tensor("int32")];
    expect(a.sharesStorageWith(b)).toBe(true);
    file[Symbol.dispose]();
    expect(a.toArray()).toEqual(values);
  });

  test("writing to a tensor leaves the file alone", () => {
    const path = join(folder, "private.safetensors");
    copyFileSync(golden, path);
    readSafetensors(path).get("float32")?.fill_(9);
    expect(readFileSync(path)).toEqual(readFileSync(golden));
  });

  test("a file that is replaced while it is mapped still gives what it held", () => {
    const path = join(folder, "replaced.safetensors");
    writeSafetensors(path, { a: tensor([1, 2]) });
    const before = readSafetensors(path).get("a") as Tensor;
    writeSafetensors(path, { a: tensor([3, 4]) });
    expect(before.toArray()).toEqual([1, 2]);
    expect(readSafetensors(path).get("a")?.toArray()).toEqual([3, 4]);
  });

  test("a misaligned tensor is copied, and right", () => {
    const header =
      '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[2],"data_offsets":[1,9]}}';
    const bytes = Buffer.alloc(8 + header.length + 9);
    bytes.writeBigUInt64LE(BigInt(header.length));
    bytes.write(header, 8);
    bytes.writeFloatLE(1.5, 8 + header.length + 1);
    bytes.writeFloatLE(-2, 8 + header.length + 5);
    const path = join(folder, "misaligned.safetensors");
    writeFileSync(path, bytes);
    expect(readSafetensors(path).get("b")?.toArray()).toEqual([1.5, -2]);
  });
});

describe("writing", () => {
  const dtypes: DType[] = [
    "float32",
    "float64",
    "bfloat16",
    "float16",
    "int64",
    "int32",
    "int16",
    "int8",
    "uint8",
    "bool",
  ];

  test("round trips every dtype and shape, bit for bit", () => {
    const shape = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 });
    const spec = fc.record({ dtype: fc.constantFrom(...dtypes), shape });
    const path = join(folder, "round-trip.safetensors");
    fc.assert(
      fc.property(fc.dictionary(fc.string(), spec, { maxKeys: 6, noNullPrototype: true }), (specs) => {
        scope(() => {
          const written = new Map(
            Object.entries(specs).map(([name, { dtype, shape: sizes }]) => [
              name,
              randn(sizes).mul(3).to({ dtype }),
            ]),
          );
          writeSafetensors(path, written);
          const read = readSafetensors(path);
          expect([...read.keys()].sort()).toEqual([...written.keys()].sort());
          for (const [name, each] of written) {
            const back = read.get(name) as Tensor;
            expect([back.dtype, back.shape]).toEqual([each.dtype, each.shape]);
            expect(Buffer.from(back.toTypedArray().buffer)).toEqual(Buffer.from(each.toTypedArray().buffer));
          }
        });
      }),
      { numRuns: 60 },
    );
  });

  test("writes views, transposed tensors and tensors that need gradients", () => {
    const path = join(folder, "views.safetensors");
    const base = tensor([
      [1, 2],
      [3, 4],
    ]);
    writeSafetensors(path, {
      t: base.t(),
      column: base.select(1, 1),
      g: tensor([5], { requiresGrad: true }),
    });
    const read = readSafetensors(path);
    expect(read.get("t")?.toArray()).toEqual([
      [1, 3],
      [2, 4],
    ]);
    expect([read.get("column")?.toArray(), read.get("g")?.toArray()]).toEqual([[2, 4], [5]]);
  });

  test("leaves the old file and no other where it fails", () => {
    const place = join(folder, "failing");
    mkdirSync(place);
    const path = join(place, "a.safetensors");
    writeSafetensors(path, { a: tensor([1]) });
    const freed = tensor([2]);
    freed.free();
    expect(() => writeSafetensors(path, { a: freed })).toThrow(/freed/);
    expect(() => writeSafetensors(join(place, "none/a.safetensors"), { a: tensor([1]) })).toThrow(
      expect.objectContaining({ reason: "write" }),
    );
    expect(readdirSync(place)).toEqual(["a.safetensors"]);
    expect(readSafetensors(path).get("a")?.toArray()).toEqual([1]);
  });

  needs("posix", process.platform !== "win32").test(
    "a disk that is full is an error with a hint, and nothing is lost",
    () => {
      const path = join(folder, "full.safetensors");
      writeSafetensors(path, { a: tensor([1]) });
      const program = `
      import { writeSafetensors, zeros } from "@promptloss/torch";
      process.on("SIGXFSZ", () => {});
      try { writeSafetensors(${JSON.stringify(path)}, { a: zeros([1e6]) }); } catch (e) { console.log(e.reason, e.hint); }
    `;
      const packageFolder = fileURLToPath(new URL("../../", import.meta.url));
      const run = spawnSync("sh", ["-c", `ulimit -f 100; exec node --input-type=module -e '${program}'`], {
        cwd: packageFolder,
        encoding: "utf8",
      });
      expect(run.stdout, run.stderr).toMatch(/^write free some space/);
      expect(readSafetensors(path).get("a")?.toArray()).toEqual([1]);
      expect(readdirSync(folder).filter((name) => name.endsWith(".draft"))).toEqual([]);
    },
  );

  needs("python", pythonReads).test("is read by Python's safetensors", () => {
    const path = join(folder, "ours.safetensors");
    const tensors = Object.fromEntries(dtypes.map((dtype) => [dtype, tensor([1, 0, 1]).to({ dtype })]));
    writeSafetensors(path, tensors, { metadata: { format: "pt" } });
    const run = spawnSync(python, [witness, "--read", path], { encoding: "utf8" });
    expect(JSON.parse(run.stdout)).toEqual({
      metadata: { format: "pt" },
      ...Object.fromEntries(dtypes.map((dtype) => [dtype, { dtype, shape: [3], sum: 2 }])),
    });
  });
});

describe("shards", () => {
  const tensors = { a: zeros([100]), b: randn([100]), c: randn([50]) };

  test("are written with an index, read as one, and go when a single file replaces them", () => {
    const place = join(folder, "sharded");
    mkdirSync(place);
    expect(writeShardedSafetensors(place, tensors, { maxShardBytes: 500 })).toEqual([
      "model-00001-of-00003.safetensors",
      "model-00002-of-00003.safetensors",
      "model-00003-of-00003.safetensors",
      "model.safetensors.index.json",
    ]);
    const read = readSafetensors(place);
    for (const [name, each] of Object.entries(tensors)) expect(read.get(name)?.equal(each)).toBe(true);
    writeShardedSafetensors(place, tensors);
    expect(readdirSync(place)).toEqual(["model.safetensors"]);
  });

  test("a missing shard, and an index that lies, are errors that name it", () => {
    const place = join(folder, "broken-shards");
    mkdirSync(place);
    writeShardedSafetensors(place, tensors, { maxShardBytes: 900 });
    const index = join(place, "model.safetensors.index.json");
    const good = readFileSync(index, "utf8");
    writeFileSync(index, good.replace('"a": "model-00001', '"a": "model-00002'));
    expect(() => openSafetensors(place)).toThrow(/tensor "a": the shard model-00002.* does not hold it/);
    writeFileSync(index, good.replace(/"a": .*,\n/, ""));
    expect(() => openSafetensors(place)).toThrow(
      /tensor "a": the shard model-00001.* holds it, and the index says otherwise/,
    );
    writeFileSync(index, good);
    rmSync(join(place, "model-00002-of-00002.safetensors"));
    expect(() => openSafetensors(place)).toThrow(
      /names the shard model-00002-of-00002.safetensors, which is not there/,
    );
  });
});

test("a damaged file is an error or is read, and never ends the process", () => {
  const good = readFileSync(golden);
  const path = join(folder, "damaged.safetensors");
  const damage = fc.array(fc.record({ at: fc.nat(good.length - 1), value: fc.nat(255) }), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(damage, fc.option(fc.nat(good.length)), (changes, cut) => {
      const bytes = Buffer.from(good);
      for (const { at, value } of changes) bytes[at] = value;
      writeFileSync(path, cut === null ? bytes : bytes.subarray(0, cut));
      scope(() => {
        try {
          for (const each of readSafetensors(path).values()) each.toArray();
        } catch (error) {
          expect(error).toBeInstanceOf(SafetensorsError);
        }
      });
    }),
    { numRuns: 500 },
  );
});
