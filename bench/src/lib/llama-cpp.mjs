// llama.cpp by node-llama-cpp, from the folder that PROMPTLOSS_LLAMA_CPP names.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const entry = createRequire(`${process.env.PROMPTLOSS_LLAMA_CPP}/`).resolve("node-llama-cpp");
const { getLlama } = await import(pathToFileURL(entry).href);

export const { version } = createRequire(entry)("../package.json");

/** A context on the CPU. @param options of the context, beside its threads and batches */
export async function openContext(file, threads, options) {
  const llama = await getLlama({
    gpu: false,
    build: "never",
    skipDownload: true,
    logLevel: "error",
    maxThreads: threads,
  });
  const model = await llama.loadModel({ modelPath: file });
  return model.createContext({ batchSize: 512, threads, ...options });
}

/** The ids of a greedy completion. */
export async function complete(sequence, prompt, tokens) {
  await sequence.clearHistory();
  const ids = [];
  for await (const token of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
    ids.push(token);
    if (ids.length === tokens) break;
  }
  return ids;
}
