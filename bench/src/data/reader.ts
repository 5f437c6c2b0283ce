// Reads a data set as `promptloss inspect` does and prints rows, seconds and peak memory: `reader.js FILE TOKENIZER`.
import { createTemplate, inspectExamples, loadTokenizer } from "promptloss";
import { readExamples } from "promptloss/data";
import { peakMemory } from "promptloss/training";

const [file = "", folder = ""] = process.argv.slice(2);
const tokenizer = await loadTokenizer(folder);
const start = performance.now();
const stream = readExamples({ path: file });
const { rows } = await inspectExamples(stream, { tokenizer, template: createTemplate("alpaca", tokenizer) });
const seconds = (performance.now() - start) / 1000;
console.log(JSON.stringify({ rows, seconds, peak: peakMemory() }));
