import { afterEach, expect, test } from "vitest";
import {
  FUSED_KERNELS,
  type FusedKernel,
  fromTypedArray,
  fusedKernels,
  packedAttentionWay,
  scope,
  siluMul,
  useFusedKernels,
  zeros,
} from "../index.ts";

afterEach(() => void useFusedKernels(true));

test("kernels are switched apart, or all at once", () => {
  for (const kernel of FUSED_KERNELS) {
    expect(useFusedKernels(false, kernel)).toBe(true);
    expect(FUSED_KERNELS.filter((each) => !fusedKernels(each))).toEqual([kernel]);
    expect(fusedKernels()).toBe(false);
    expect(useFusedKernels(true, kernel)).toBe(false);
  }
  expect(useFusedKernels(false)).toBe(true);
  expect(FUSED_KERNELS.some((each) => fusedKernels(each))).toBe(false);
  expect(useFusedKernels(true, "blocks")).toBe(false);
  expect(fusedKernels("blocks")).toBe(true);
  expect(useFusedKernels(true)).toBe(false);
  expect(() => useFusedKernels(false, "thoughts" as FusedKernel)).toThrow("no fused kernels called thoughts");
  expect(fusedKernels()).toBe(true);
});

test("an operator goes by its own switch", () => {
  const products = (): Float32Array =>
    scope(() => {
      const values = Float32Array.from({ length: 64 }, (_, i) => 0.37 * i - 9);
      const half = fromTypedArray(values, [64]).to({ dtype: "bfloat16" });
      return siluMul(half, half.mul(1.3)).float().toTypedArray("float32");
    });
  const fused = products();
  useFusedKernels(false, "products");
  expect(products()).toEqual(fused);
  useFusedKernels(false, "SiLU times up");
  // Rounded twice.
  expect(products()).not.toEqual(fused);

  const like = zeros([1]);
  expect(packedAttentionWay(like, 16)).toBe("kernel");
  useFusedKernels(false, "attention");
  expect(packedAttentionWay(like, 16)).toBeUndefined();
});
