// What llama.cpp makes of a GGUF file, by node-llama-cpp: a process of its own, as its threads outlive the work.
// Usage: node llama-cpp.mjs '{"package": …, "model": …, "texts": […], "prompts": [[ids]], "tokens": 20, "scored": [[ids]]}'
// Prints {"ids": of each text, "greedy": ids after each prompt, "losses": −log p of every id but the first, of each}.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const settings = JSON.parse(process.argv[2]);
const { texts = [], prompts = [], tokens = 0, scored = [] } = settings;
const entry = createRequire(`${settings.package}/`).resolve("node-llama-cpp");
const { getLlama } = await import(pathToFileURL(entry).href);
const llama = await getLlama({ gpu: false, build: "never", skipDownload: true, logLevel: "error" });
const model = await llama.loadModel({ modelPath: settings.model });
const lora = settings.lora === undefined ? {} : { lora: settings.lora };
// Keys and values as they are computed: its default rounds them to float16.
const exact = { experimentalKvCacheKeyType: "F32", experimentalKvCacheValueType: "F32" };
const context = await model.createContext({
  contextSize: 512,
  batchSize: 512,
  threads: 1,
  ...exact,
  ...lora,
});
const sequence = context.getSequence();

const greedy = [];
for (const prompt of prompts) {
  await sequence.clearHistory();
  const made = [];
  for await (const token of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
    made.push(token);
    if (made.length === tokens) break;
  }
  greedy.push(made);
}

const losses = [];
for (const ids of scored) {
  await sequence.clearHistory();
  const next = {
    generateNext: { probabilities: true, options: { temperature: 1, topK: 0, topP: 1, minP: 0 } },
  };
  const results = await sequence.controlledEvaluate(ids.slice(0, -1).map((id) => [id, next]));
  losses.push(ids.slice(1).map((id, i) => -Math.log(results[i].next.probabilities.get(id))));
}

console.log(JSON.stringify({ ids: texts.map((text) => model.tokenize(text, true)), greedy, losses }));
process.exit(0);
