// Makes tensors that nothing refers to, without a scope and without asking for a collection, and says how many were
// alive at once. V8 collects only what it knows to be large. `node typescript.mjs pressure.ts <elements> <tensors>`
import { empty, memory } from "../../src/index.ts";

const [elements = 1 << 20, count = 400] = process.argv.slice(2).map(Number);
let most = 0;
for (let i = 0; i < count; i++) {
  empty([elements]);
  // Finalizers run between turns of the event loop.
  if (i % 10 === 9) await new Promise((resolve) => setImmediate(resolve));
  most = Math.max(most, memory().tensors);
}
console.log(JSON.stringify({ most, bytes: memory().bytes }));
