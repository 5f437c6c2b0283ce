// llama.cpp's side of generation from a GGUF file, by node-llama-cpp from the folder that PROMPTLOSS_LLAMA_CPP names.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const entry = createRequire(`${process.env.PROMPTLOSS_LLAMA_CPP}/`).resolve("node-llama-cpp");
const { getLlama } = await import(pathToFileURL(entry).href);
let sequence;

async function answer({ file, threads, prompt, tokens }) {
  const start = performance.now();
  const before = process.cpuUsage();
  const spent = () => {
    const { user, system } = process.cpuUsage(before);
    return { seconds: (performance.now() - start) / 1000, processorSeconds: (user + system) / 1e6 };
  };
  if (file !== undefined) {
    const llama = await getLlama({
      gpu: false,
      build: "never",
      skipDownload: true,
      logLevel: "error",
      maxThreads: threads,
    });
    const model = await llama.loadModel({ modelPath: file });
    const context = await model.createContext({ contextSize: 512, batchSize: 512, threads });
    sequence = context.getSequence();
    return spent();
  }
  await sequence.clearHistory();
  const ids = [];
  for await (const token of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
    ids.push(token);
    if (ids.length === tokens) break;
  }
  return { ...spent(), ids };
}

for await (const line of createInterface({ input: process.stdin }))
  process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`);
