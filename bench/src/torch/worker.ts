// Our side of the binding's benchmark.

import { hrtime } from "node:process";
import { type DType, getNumThreads, libtorch, randn, scope, setNumThreads, tensor } from "@promptloss/torch";
import { serve } from "../lib/peer.ts";
import { type Case, matmulSize } from "./cases.ts";

function time(iterations: number, body: () => void): { ns: number } {
  const start = hrtime.bigint();
  for (let i = 0; i < iterations; i++) body();
  return { ns: Number(hrtime.bigint() - start) / iterations };
}

function matmul(iterations: number, dtype: DType): { ns: number } {
  return scope(() => {
    const a = randn([matmulSize, matmulSize]).to({ dtype });
    const b = randn([matmulSize, matmulSize]).to({ dtype });
    a.matmul(b).free();
    return time(iterations, () => a.matmul(b).free());
  });
}

function run(name: Case["name"], iterations: number): { ns: number } {
  switch (name) {
    case "add":
      return scope(() => {
        const a = tensor([1, 2, 3]);
        return time(iterations, () => a.add(a).free());
      });
    case "chain":
      return scope(() => {
        const x = randn([16], { requiresGrad: true });
        const w = randn([16]);
        return time(iterations, () =>
          scope(() => {
            let y = x;
            for (let i = 0; i < 25; i++) y = y.mul(w).tanh();
            y.sum().backward();
          }),
        );
      });
    case "matmul-float32":
      return matmul(iterations, "float32");
    case "matmul-bfloat16":
      return matmul(iterations, "bfloat16");
  }
}

await serve(({ name, iterations, threads }) => {
  if (threads !== undefined) setNumThreads(threads as number);
  if (name === undefined) return { version: libtorch().version, threads: getNumThreads() };
  return run(name as Case["name"], iterations as number);
});
