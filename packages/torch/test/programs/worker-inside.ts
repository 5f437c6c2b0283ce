// What worker.ts runs in its workers.
import { parentPort } from "node:worker_threads";
import { full, grad, memory, scope } from "../../src/index.ts";

const n = Number(process.argv.at(-1));
const slope = scope(() => {
  const x = full([2], n, { requiresGrad: true });
  return grad([x.mul(x).sum()], [x])[0]!.toArray();
});
parentPort?.postMessage({ slope, tensors: memory().tensors });
