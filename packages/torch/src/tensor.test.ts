// What a tensor tells of itself, and how elements come in and go out.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { needs } from "../../../test/needs.ts";
import {
  ArgumentError,
  arange,
  cat,
  type DType,
  fromTypedArray,
  full,
  grad,
  hasOperator,
  itemSize,
  OperatorError,
  OutOfMemoryError,
  ones,
  ops,
  ShapeError,
  Tensor,
  TorchError,
  tensor,
  UnknownOperatorError,
  zeros,
} from "./index.ts";
import { readCurrentBuild } from "./setup/index.ts";

describe("elements", () => {
  const arrays = {
    float32: Float32Array.of(1.5, -2, 0),
    float64: Float64Array.of(1.5, -2, 1e300),
    int64: BigInt64Array.of(1n, -(2n ** 63n), 5n),
    int32: Int32Array.of(1, -(2 ** 31), 5),
    int16: Int16Array.of(1, -32768, 5),
    int8: Int8Array.of(1, -128, 5),
    uint8: Uint8Array.of(1, 255, 5),
    bool: Uint8Array.of(1, 0, 1),
    bfloat16: Uint16Array.of(0x3fc0, 0xc000, 0),
    float16: Uint16Array.of(0x3e00, 0xc000, 0),
  };

  test.each(Object.entries(arrays))("%s comes in from its typed array and goes out again", (dtype, array) => {
    const made = fromTypedArray(array as Float32Array, undefined, { dtype: dtype as DType });
    expect([made.dtype, made.shape, made.device]).toEqual([dtype, [3], "cpu"]);
    expect(made.toTypedArray()).toEqual(array);
    expect(made.toTypedArray()).not.toBe(array);
  });

  test("16-bit floats are numbers in arrays, bits in typed arrays", () => {
    for (const dtype of ["bfloat16", "float16"] as const) {
      const made = tensor([1.5, -2, 0], { dtype });
      expect(made.toArray()).toEqual([1.5, -2, 0]);
      expect(made.toTypedArray()).toEqual(arrays[dtype]);
    }
  });

  test("an int64 beyond 2⁵³ is a bigint, others are numbers", () => {
    expect(tensor([2n ** 53n, 7n]).toArray()).toEqual([2n ** 53n, 7]);
    expect(tensor(2n ** 62n).item("int64")).toBe(2n ** 62n);
    expect(() => tensor(2n ** 62n).item()).toThrow(/no number/);
    expect(tensor(true).item("bool")).toBe(true);
    expect(() => tensor(true).item()).toThrow(ArgumentError);
    expect(() => tensor(1).item("int64")).toThrow(/has dtype float32, not int64/);
    expect(tensor(1).toTypedArray("float32")).toEqual(Float32Array.of(1));
    expect(() => tensor(1).toTypedArray("float64")).toThrow(/has dtype float32, not float64/);
    expect(() => tensor(1).asTypedArray("int32")).toThrow(ArgumentError);
    expect(tensor(-3n).item()).toBe(-3);
    expect(full([2], 2n ** 62n + 1n, { dtype: "int64" }).toArray()).toEqual([2n ** 62n + 1n, 2n ** 62n + 1n]);
  });

  test("shared memory is seen from both sides, copied memory from one", () => {
    const array = Float32Array.of(1, 2, 3, 4);
    const shared = fromTypedArray(array, [2, 2], { share: true });
    const copy = fromTypedArray(array, [2, 2]);
    array[3] = 9;
    shared.select(0, 0).fill_(7);
    expect([...array]).toEqual([7, 7, 3, 9]);
    expect(shared.toArray()).toEqual([
      [7, 7],
      [3, 9],
    ]);
    expect(copy.toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    const view = shared.asTypedArray("float32");
    view[0] = 5;
    expect(array[0]).toBe(5);
  });

  test("an array under a tensor stays where it is when it is to be transferred", () => {
    const array = new Float32Array(4);
    const shared = fromTypedArray(array, [4], { share: true });
    try {
      // Node 20 clones it instead, later ones throw.
      structuredClone(array, { transfer: [array.buffer] });
    } catch (error) {
      expect(error).toBeInstanceOf(DOMException);
    }
    expect(array).toHaveLength(4);
    expect(shared.toArray()).toEqual([0, 0, 0, 0]);
  });

  describe("memory that was handed out", () => {
    const handedOut = (): { held: Tensor; array: Float32Array } => {
      const held = arange(0, 1000, 1, { dtype: "float32" });
      return { held, array: held.asTypedArray("float32") };
    };
    const whole = (array: Float32Array): boolean => array.every((value, i) => value === i);

    test("is not resized, by no operator and through no view", () => {
      const attempts: ((held: Tensor) => unknown)[] = [
        (held) => ops.aten!.resize_!(held, [100_000]),
        (held) => ops.aten!.resize_!(held.narrow(0, 0, 10), [100_000]),
        (held) => ops.aten!.resize_!(held.detach(), [100_000]),
        (held) => ops.aten!.resize_as_!(held, zeros([100_000])),
        (held) => ops.aten!.cat!.out!([held, zeros([100_000])], 0, { out: held }),
        (held) => ops.aten!.add!.out!(zeros([100_000]), zeros([100_000]), { out: held }),
      ];
      for (const attempt of attempts) {
        const { held, array } = handedOut();
        expect(() => attempt(held)).toThrow(/not resizable|single memory location/);
        held.free();
        expect(whole(array)).toBe(true);
      }
      const { held } = handedOut();
      const error = (() => {
        try {
          return ops.aten!.resize_!(held, [100_000]);
        } catch (thrown) {
          return thrown as OperatorError;
        }
      })();
      expect((error as OperatorError).hint).toMatch(/asTypedArray\(\) gave it out.*resize a clone/);
    });

    test("stays where it is when the tensor goes on to other memory", () => {
      const attempts: ((held: Tensor) => unknown)[] = [
        (held) => ops.aten!.set_!.source_Tensor!(held, zeros([5])),
        (held) => ops.aten!.set_!.default!(held),
        ...(hasOperator("aten::_lazy_clone")
          ? [(held: Tensor) => (ops.aten!._lazy_clone!(held) as Tensor).free()]
          : []),
      ];
      for (const attempt of attempts) {
        const { held, array } = handedOut();
        try {
          attempt(held);
        } catch (error) {
          expect(error).toBeInstanceOf(OperatorError);
        }
        held.free();
        for (let i = 0; i < 20; i++) full([1000], 7).free();
        expect(whole(array)).toBe(true);
      }
    });

    test("is seen from both sides each time that it is handed out", () => {
      const { held, array } = handedOut();
      const again = held.narrow(0, 10, 5).asTypedArray("float32");
      held.add_(1);
      again[0] = -1;
      expect([...array.subarray(9, 12)]).toEqual([10, -1, 12]);
      expect(held.narrow(0, 9, 3).toArray()).toEqual([10, -1, 12]);
    });
  });

  test("memory that a tensor can't hold is refused", () => {
    const common = new Float32Array(new SharedArrayBuffer(8));
    expect(() => fromTypedArray(common)).toThrow("SharedArrayBuffer");
    const gone = new Float32Array(4);
    structuredClone(gone, { transfer: [gone.buffer] });
    expect(fromTypedArray(gone).shape).toEqual([0]);
    expect(() => fromTypedArray(gone, [4])).toThrow("needs 4 elements, got 0");
    expect(() => fromTypedArray(Uint16Array.of(1))).toThrow("does not carry");
    expect(() => ones([2, 3]).t().asTypedArray()).toThrow(ArgumentError);
  });

  describe("arrays that claim too much are refused at once", () => {
    const twice = Array.from({ length: 60 }).reduce<unknown>((inner) => [inner, inner], []);
    const itself: unknown[] = [];
    itself.push(itself, itself);
    const hostile: Record<string, unknown> = {
      "2³¹ holes": new Array(2 ** 31),
      "2³² − 1 holes": new Array(2 ** 32 - 1),
      "2²⁵ holes": new Array(2 ** 25),
      "an array that holds itself twice": itself,
      "2⁶⁰ references to one array": twice,
    };

    // By name, as vitest would walk through the values.
    test.each(Object.keys(hostile))("%s", (name) => {
      const list = hostile[name] as number[];
      const calls = [
        () => zeros(list),
        () => full(list, 1),
        () => tensor(list),
        () => cat(list as unknown as Tensor[]),
        () => fromTypedArray(Float32Array.of(1), list),
        () => ones([2]).reshape(list),
        () => ones([2]).sum(list),
        () => ops.aten!.zeros!.default!(list),
        () => grad([ones([2])], list as unknown as Tensor[]),
      ];
      for (const call of calls) expect(call).toThrow(TorchError);
    });

    test("getters that throw, and arrays that change while they are read", () => {
      const trap = Object.defineProperty([1, 2], 1, {
        get: () => {
          throw new RangeError("trap");
        },
      });
      expect(() => zeros(trap)).toThrow(new RangeError("trap"));
      expect(() => tensor(trap)).toThrow(new RangeError("trap"));
      const shrinking = Object.defineProperty([1, 2, 3], 0, {
        get: () => {
          shrinking.length = 1;
          return 1;
        },
      }) as number[];
      expect(zeros(shrinking).shape).toEqual([1]);
      expect(() => zeros(new Proxy([2], {}))).toThrow(ArgumentError);
      expect(() => ones([2]).add(new Proxy(ones([2]), {}))).toThrow(/only looks like one/);
      expect(() => ones([2]).add(Object.create(Tensor.prototype))).toThrow(/only looks like one/);
    });
  });

  test("nested arrays of any shape come back as they went in", () => {
    const shapes = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 });
    fc.assert(
      fc.property(shapes, (shape) => {
        const made = zeros(shape);
        expect(made.shape).toEqual(shape);
        // A 0 ends the nesting: what is inside an empty dimension can't be told from an array.
        if (!shape.includes(0)) expect(tensor(made.toArray()).shape).toEqual(shape);
      }),
    );
    expect(() => tensor([[1, 2], [3]])).toThrow("ragged array");
    expect(() => tensor([1, true] as never)).toThrow(ArgumentError);
  });
});

describe("views", () => {
  test("share memory, with strides and offset of their own", () => {
    const base = arange(0, 24).reshape([2, 3, 4]);
    const view = base.transpose(0, 2).select(1, 1);
    expect([view.shape, view.strides, view.storageOffset, view.isContiguous]).toEqual([
      [4, 2],
      [1, 12],
      4,
      false,
    ]);
    expect(view.sharesStorageWith(base)).toBe(true);
    expect(view.toArray()).toEqual([
      [4, 16],
      [5, 17],
      [6, 18],
      [7, 19],
    ]);
    expect(view.contiguous().sharesStorageWith(base)).toBe(false);
    view.fill_(0);
    expect(base.select(1, 1).sum().item()).toBe(0);
  });
});

describe("printing", () => {
  test("is what a person would want to read", () => {
    const shown = [
      tensor(3.5),
      tensor([
        [1, 2.25],
        [-3, 0],
      ]),
      tensor([1e10, 1e-5]),
      tensor([Number.NaN, Number.POSITIVE_INFINITY, 1]),
      tensor([true, false]),
      tensor([1n, -20n]),
      zeros([0, 3]),
      arange(0, 2000),
      ones([2], { requiresGrad: true }).mul(2),
      ones([2], { dtype: "bfloat16" }),
    ];
    expect(`\n${shown.map(String).join("\n")}\n`).toMatchInlineSnapshot(`
      "
      tensor(3.5000, shape=[], dtype=float32)
      tensor([[ 1.0000,  2.2500],
              [-3.0000,  0.0000]], shape=[2, 2], dtype=float32)
      tensor([1.0000e+10, 1.0000e-05], shape=[2], dtype=float32)
      tensor([nan, inf,  1.], shape=[3], dtype=float32)
      tensor([ true, false], shape=[2], dtype=bool)
      tensor([  1, -20], shape=[2], dtype=int64)
      tensor([], shape=[0, 3], dtype=float32)
      tensor([   0,    1,    2, ..., 1997, 1998, 1999], shape=[2000], dtype=int64)
      tensor([2., 2.], shape=[2], dtype=float32, gradFn=MulBackward1)
      tensor([1., 1.], shape=[2], dtype=bfloat16)
      "
    `);
  });
});

describe("what can't be read", () => {
  test("prints its facts", () => {
    const aten = ops.aten!;
    const shown = [
      zeros([2], { device: "meta" }),
      aten.complex!.default!(ones([2]), ones([2])),
      aten.to_sparse!(ones([2, 2])),
    ];
    expect(shown.map(String)).toEqual([
      "tensor(..., shape=[2], dtype=float32, device=meta)",
      "tensor(..., shape=[2], dtype=complex64)",
      "tensor(..., shape=[2, 2], dtype=float32, layout=sparse_coo)",
    ]);
  });

  // Arrays of these lengths would end the process.
  test("a view of any size prints its edges, and is refused as nested arrays", () => {
    const wide = ones([1]).expand([2 ** 40]);
    expect(String(wide)).toBe(`tensor([1., 1., 1., ..., 1., 1., 1.], shape=[${2 ** 40}], dtype=float32)`);
    for (const huge of [
      wide,
      zeros([2 ** 31, 0]),
      zeros([1]).expand([2 ** 14, 2 ** 14]),
      zeros([2 ** 40, 0]),
    ])
      expect(() => huge.toArray()).toThrow(OutOfMemoryError);
  });
});

describe("errors", () => {
  const error = (body: () => unknown): unknown => {
    try {
      body();
    } catch (caught) {
      return caught;
    }
    return undefined;
  };

  test("an unknown operator names the nearest overloads", () => {
    const unknown = error(() => ops.aten!.no_such_thing!(1));
    expect(unknown).toBeInstanceOf(UnknownOperatorError);
    expect(unknown).toMatchObject({
      operator: expect.stringContaining("no_such_thing"),
      hint: expect.any(String),
    });
  });

  test("a wrong argument names itself, what is expected and what was given", () => {
    const wrong = error(() => ones([2]).add("three" as never));
    expect(wrong).toBeInstanceOf(ArgumentError);
    expect(wrong).toMatchObject({ operator: expect.stringMatching(/^aten::add/), argument: "other" });
    expect((wrong as ArgumentError).expected).toMatch(/Scalar|Tensor/);
    expect((wrong as ArgumentError).received).toMatch(/three|string/);
    const list = error(() => zeros([2, 1.5]));
    expect(list).toMatchObject({ received: expect.stringContaining("1.5 at index 1") });
  });

  test("sizes that don't fit name the operator and the shapes", () => {
    const misfit = error(() => ones([2, 3]).matmul(ones([4, 5])));
    expect(misfit).toBeInstanceOf(ShapeError);
    expect(misfit).toMatchObject({ operator: "aten::matmul", shapes: ["[2, 3] float32", "[4, 5] float32"] });
  });

  test("the shapes of tensors in lists are named too", () => {
    const misfit = error(() => cat([ones([2, 3]), ones([4, 5])]));
    expect(misfit).toMatchObject({ operator: "aten::cat", shapes: ["[2, 3] float32", "[4, 5] float32"] });
  });

  test("a packet of operators can be given to promises and to JSON.stringify", async () => {
    const packet = ops.aten!.add!;
    expect(await packet).toBe(packet);
    expect(JSON.stringify({ packet })).toBe("{}");
    expect(() => packet.nothing).toThrow(UnknownOperatorError);
  });

  test("no memory is an error like any other, and what was there is intact", () => {
    const before = ones([3]);
    const full = error(() => zeros([2 ** 50]));
    expect(full).toBeInstanceOf(OutOfMemoryError);
    expect((full as OutOfMemoryError).bytes).toBe(2 ** 52);
    expect(before.sum().item()).toBe(3);
  });

  // A libtorch built for CUDA that finds no GPU says so in words of its own.
  const cpuOnly = readCurrentBuild()?.libtorch.cuda === false;
  needs("cpuOnly", cpuOnly).test("a device that is not there is named in one sentence, with a hint", () => {
    const away = error(() => zeros([1], { device: "cuda" }));
    expect(away).toMatchObject({
      message: expect.stringMatching(/^aten::zeros: Could not run .* from the 'CUDA' backend\.$/),
      hint: expect.stringContaining("availableDevices()"),
    });
  });

  test("bytes an element are those of a dtype, of nothing else", () => {
    expect((["float64", "float32", "bfloat16", "bool"] as const).map(itemSize)).toEqual([8, 4, 2, 1]);
    for (const wrong of ["int65", "toString", undefined])
      expect(() => itemSize(wrong as never)).toThrow(ArgumentError);
  });

  test("what an operator refuses for other reasons is an OperatorError", () => {
    const refused = error(() => tensor([true]).neg());
    expect(refused).toBeInstanceOf(OperatorError);
    expect((refused as OperatorError).operator).toBe("aten::neg");
  });
});
