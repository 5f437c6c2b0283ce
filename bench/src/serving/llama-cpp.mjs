// llama.cpp's side of serving: a context with a sequence per client, whose evaluations node-llama-cpp batches.
import { createInterface } from "node:readline";
import { complete, openContext, version } from "../lib/llama-cpp.mjs";

const sequences = [];

async function load({ file, threads, clients, contextSize }) {
  const context = await openContext(file, threads, { contextSize, sequences: clients });
  for (let i = 0; i < clients; i++) sequences.push(context.getSequence());
  return { version };
}

async function round({ prompts, tokens }) {
  const start = performance.now();
  const ids = await Promise.all(
    prompts.map(async (requests, client) => {
      let first;
      for (const prompt of requests) {
        const found = await complete(sequences[client], prompt, tokens);
        first ??= found;
      }
      return first;
    }),
  );
  return { seconds: (performance.now() - start) / 1000, ids };
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  const answer = request.file === undefined ? await round(request) : await load(request);
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
