// The C library's environment, which process.env mirrors, before and after `tuneProcess`.
import { ones, tuneProcess } from "../../src/index.ts";

function read(): (string | null)[] {
  return ["LRU_CACHE_CAPACITY", "ONEDNN_PRIMITIVE_CACHE_CAPACITY"].map((name) => process.env[name] ?? null);
}

ones([2]);
const before = read();
tuneProcess();
console.log(JSON.stringify({ before, after: read() }));
