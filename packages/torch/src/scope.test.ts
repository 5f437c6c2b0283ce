import { describe, expect, test } from "vitest";
import { keep, memory, ones, Scope, scope, Tensor, UseAfterFreeError, zeros } from "./index.ts";

function live(): number {
  return memory().tensors;
}

describe("memory", () => {
  test("counts apart what only the garbage collector frees", () => {
    const { bytes, collectable } = memory();
    scope(() => {
      const inner = ones([25]);
      expect(memory()).toMatchObject({ bytes: bytes + 100, collectable });
      keep(inner);
      expect(memory()).toMatchObject({ bytes: bytes + 100, collectable: collectable + 100 });
      inner.free();
      expect(memory()).toMatchObject({ bytes, collectable });
    });
    const outer = ones([25]);
    const view = outer.at(0);
    expect(memory().collectable).toBe(collectable + 100);
    outer.free();
    view.free();
    expect(memory()).toMatchObject({ bytes, collectable });
  });
});

describe("scope", () => {
  test("frees what its function neither returns nor keeps", () => {
    const before = live();
    let inner: Tensor | undefined;
    let kept: Tensor | undefined;
    const result = scope(() => {
      inner = ones([3]);
      kept = keep(inner.add(1));
      return { list: [inner.mul(2)], map: new Map([["a", inner.sub(1)]]), set: new Set([inner.neg()]), n: 5 };
    });
    expect(inner!.isFreed).toBe(true);
    expect(kept!.toArray()).toEqual([2, 2, 2]);
    expect([result.list[0]!, result.map.get("a")!, ...result.set].map((each) => each.toArray())).toEqual([
      [2, 2, 2],
      [0, 0, 0],
      [-1, -1, -1],
    ]);
    expect(live()).toBe(before + 4);
    for (const each of [kept!, result.list[0]!, result.map.get("a")!, ...result.set]) each.free();
    expect(live()).toBe(before);
  });

  test("what an inner scope returns belongs to the outer one", () => {
    const before = live();
    const [outer, deep] = scope(() => {
      const deep = scope(() => scope(() => ones([2])));
      expect(deep.isFreed).toBe(false);
      return [deep.add(1), deep.shape] as const;
    });
    expect([outer.toArray(), deep]).toEqual([[2, 2], [2]]);
    outer.free();
    expect(live()).toBe(before);
  });

  test("an error frees all, those of scopes left open inside too", () => {
    const before = live();
    expect(() =>
      scope(() => {
        ones([2]);
        new Scope();
        ones([3]);
        throw new Error("mine");
      }),
    ).toThrow("mine");
    expect(live()).toBe(before);
  });

  test("refuses an async function, whose later error ends no process", async () => {
    const before = live();
    let later: Promise<void> | undefined;
    expect(() =>
      scope(() => {
        later = (async () => {
          const inner = ones([2]);
          await null;
          inner.add(1);
        })();
        return later;
      }),
    ).toThrow("scope() takes a function that is not async");
    // Only this test awaits it: vitest, like Node, fails on a rejection that nobody handled before.
    await new Promise((resolve) => setImmediate(resolve));
    await expect(later).rejects.toThrow(UseAfterFreeError);
    expect(live()).toBe(before);
  });

  test.each([
    [
      "a getter throws in what it returns",
      () => ({
        get field(): never {
          throw new Error("a getter");
        },
      }),
    ],
    ["a Scope inside is left open", () => new Scope()],
  ])("is closed also where %s", (_, body) => {
    const before = live();
    expect(() =>
      scope(() => {
        ones([2]);
        return body();
      }),
    ).toThrow();
    expect(live()).toBe(before);
    // Nothing open is left to take what is made now.
    const outer = new Scope();
    outer.close();
  });

  test("finds tensors in collections larger than a call's arguments", () => {
    const many = Array.from({ length: 300_000 }, (_, i) => i);
    const [set, map] = scope(() => [
      new Set<unknown>([...many, ones([1])]),
      new Map<unknown, unknown>([...many.map((i): [number, number] => [i, i]), [ones([2]), ones([3])]]),
    ]);
    const found = [...(set as Set<unknown>), ...(map as Map<unknown, unknown>).entries()]
      .flat()
      .filter((each) => each instanceof Tensor);
    expect(found.map((each) => [each.isFreed, each.shape])).toEqual([
      [false, [1]],
      [false, [2]],
      [false, [3]],
    ]);
    for (const each of found) each.free();
  });

  test("a view keeps its memory after its base is freed", () => {
    const view = scope(() => ones([4]).narrow(0, 1, 2));
    expect(view.toArray()).toEqual([1, 1]);
    view.free();
  });

  test("a long scope whose tensors are freed by hand does not grow", () => {
    scope(() => {
      for (let i = 0; i < 5000; i++) ones([1]).free();
      expect(live()).toBeLessThan(100);
    });
  });

  test("Scope objects close in order, and only once", () => {
    const outer = new Scope();
    const tensor = zeros([2]);
    const inner = new Scope();
    expect(() => outer.close()).toThrow("closed before the scopes inside it");
    inner.close();
    outer.close();
    outer.close();
    expect(tensor.isFreed).toBe(true);
  });
});

describe("freed tensors", () => {
  test("throw a clear error at any use, in operators and members", () => {
    const tensor = ones([2]);
    tensor.free();
    tensor.free();
    for (const use of [
      () => tensor.shape,
      () => tensor.add(1),
      () => ones([2]).add(tensor),
      () => tensor.toArray(),
      () => tensor.backward(),
      () => tensor.requiresGrad,
    ]) {
      expect(use).toThrow(UseAfterFreeError);
      expect(use).toThrow("the tensor was freed");
    }
    expect(String(tensor)).toMatch(/freed/);
  });

  test("using frees at the end of the block", () => {
    let outside: Tensor;
    {
      using tensor = ones([2]);
      outside = tensor;
      expect(tensor.sum().item()).toBe(2);
    }
    expect(outside.isFreed).toBe(true);
  });
});
