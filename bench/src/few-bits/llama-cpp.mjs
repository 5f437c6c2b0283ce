// llama.cpp's side of generation from a GGUF file.
import { createInterface } from "node:readline";
import { complete, openContext } from "../lib/llama-cpp.mjs";

let sequence;

async function answer({ file, threads, prompt, tokens }) {
  const start = performance.now();
  const before = process.cpuUsage();
  const spent = () => {
    const { user, system } = process.cpuUsage(before);
    return { seconds: (performance.now() - start) / 1000, processorSeconds: (user + system) / 1e6 };
  };
  if (file !== undefined) {
    const context = await openContext(file, threads, { contextSize: 512 });
    sequence = context.getSequence();
    return spent();
  }
  const ids = await complete(sequence, prompt, tokens);
  return { ...spent(), ids };
}

for await (const line of createInterface({ input: process.stdin }))
  process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`);
