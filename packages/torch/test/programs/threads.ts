// Says how many threads operators may use, and a product's bits for a seed.
import { availableParallelism } from "node:os";
import { getNumThreads, manualSeed, randn, scope } from "../../src/index.ts";

manualSeed(7);
const product = scope(() =>
  [
    ...randn([257, 300])
      .matmul(randn([300, 129]))
      .toTypedArray("float32"),
  ].slice(0, 50),
);
console.log(JSON.stringify({ threads: getNumThreads(), cores: availableParallelism(), product }));
