// The engine in the main thread and in a worker at once.

import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { ones } from "../../src/index.ts";

const runner = fileURLToPath(new URL("../support/typescript.mjs", import.meta.url));
const inside = fileURLToPath(new URL("./worker-inside.ts", import.meta.url));
const answers = await Promise.all(
  [1, 2].map(
    (n) =>
      new Promise<unknown>((resolve, reject) => {
        const worker = new Worker(runner, { argv: [inside, String(n)] });
        worker.once("message", resolve);
        worker.once("error", reject);
      }),
  ),
);
console.log(JSON.stringify({ main: ones([3]).sum().item(), workers: answers }));
