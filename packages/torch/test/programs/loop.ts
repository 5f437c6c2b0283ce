// Makes tensors that nothing refers to in one synchronous loop, without a scope, and says how many were alive at once,
// and how many of those that are referred to survived. `node typescript.mjs loop.ts <elements> <tensors>`
import { full, memory } from "../../src/index.ts";

const [elements = 2_560_000, count = 400] = process.argv.slice(2).map(Number);
const held = [];
let most = 0;
let bytes = 0;
for (let i = 0; i < count; i++) {
  const made = full([elements], i);
  if (i % 100 === 0) held.push(made);
  most = Math.max(most, memory().tensors);
  bytes = Math.max(bytes, memory().bytes);
}
const right = held.every((each, i) => each.narrow(0, 0, 1).item() === 100 * i);
console.log(JSON.stringify({ most, bytes, right }));
