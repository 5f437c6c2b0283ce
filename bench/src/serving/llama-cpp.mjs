// llama.cpp's side of serving: a context with a sequence per client, whose evaluations node-llama-cpp batches.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const entry = createRequire(`${process.env.PROMPTLOSS_LLAMA_CPP}/`).resolve("node-llama-cpp");
const { getLlama } = await import(pathToFileURL(entry).href);
const sequences = [];

async function load({ file, threads, clients, contextSize }) {
  const llama = await getLlama({
    gpu: false,
    build: "never",
    skipDownload: true,
    logLevel: "error",
    maxThreads: threads,
  });
  const model = await llama.loadModel({ modelPath: file });
  const context = await model.createContext({ contextSize, batchSize: 512, threads, sequences: clients });
  for (let i = 0; i < clients; i++) sequences.push(context.getSequence());
  return { version: createRequire(entry)("../package.json").version };
}

async function complete(sequence, prompt, tokens) {
  await sequence.clearHistory();
  const ids = [];
  for await (const token of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
    ids.push(token);
    if (ids.length === tokens) break;
  }
  return ids;
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
