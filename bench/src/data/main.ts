// Data preparation: `npm run bench:data -- ALPACA_JSON TOKENIZER_FOLDER`. Inspection against the tokenizer's library
// alone on the same strings, in turns in one process; and the memory of reading a million rows, each in a process of
// its own.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createTemplate, inspectExamples, loadExamples, loadTokenizer } from "promptloss";
import { readExamples } from "promptloss/data";
import { Tokenizer as Library } from "tokenizers";
import { beginMeasuring } from "../lib/conditions.ts";
import { machine, writeSection } from "../lib/report.ts";
import { writeMillion } from "./million.ts";
import { type MemoryResult, sectionOf } from "./section.ts";

const ROUNDS = 5;
const BATCH = 1024;

beginMeasuring();
const [data, folder] = paths();

/** @throws {Error} where the command line does not name both */
function paths(): readonly [string, string] {
  const [data, folder] = process.argv.slice(2);
  if (data === undefined || folder === undefined)
    throw new Error("npm run bench:data -- ALPACA_JSON TOKENIZER_FOLDER");
  return [data, folder];
}

/** Seconds that encoding the strings takes with the library alone, in batches as ours. */
async function encodeAlone(library: Library, texts: readonly string[]): Promise<number> {
  const start = performance.now();
  for (let from = 0; from < texts.length; from += BATCH)
    await library.encodeBatch(texts.slice(from, from + BATCH), { addSpecialTokens: false });
  return (performance.now() - start) / 1000;
}

/** Seconds of all that `promptloss inspect` does: read, render, encode, count. Its tokenizer has seen no text yet. */
async function inspectAll(folder: string): Promise<number> {
  const tokenizer = await loadTokenizer(folder);
  const start = performance.now();
  const stream = readExamples({ path: data }, { emptyCompletions: "keep" });
  await inspectExamples(stream, { tokenizer, template: createTemplate("alpaca", tokenizer) });
  return (performance.now() - start) / 1000;
}

/** Reads a million rows in a process of its own, and says what it took. */
async function readMillion(kind: "jsonl" | "parquet"): Promise<MemoryResult> {
  const place = mkdtempSync(join(tmpdir(), "promptloss-million-"));
  try {
    const file = join(place, `rows.${kind}`);
    await writeMillion(file, kind);
    const reader = fileURLToPath(new URL("reader.js", import.meta.url));
    const { stdout, stderr, status } = spawnSync(process.execPath, [reader, file, folder], {
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(stderr);
    const { rows, seconds, peak } = JSON.parse(stdout) as MemoryResult;
    return { kind, rows, fileBytes: statSync(file).size, seconds, peak };
  } finally {
    rmSync(place, { recursive: true });
  }
}

const { examples } = await loadExamples({ path: data }, { emptyCompletions: "keep" });
const texts = examples.flatMap((example) =>
  example.kind === "conversation" ? example.turns.flatMap(({ parts }) => parts.map(({ text }) => text)) : [],
);
const library = Library.fromFile(join(folder, "tokenizer.json"));
const alone: number[] = [];
const inspected: number[] = [];
for (let round = -1; round < ROUNDS; round++) {
  const first = round % 2 === 0;
  const before = first ? await encodeAlone(library, texts) : await inspectAll(folder);
  const after = first ? await inspectAll(folder) : await encodeAlone(library, texts);
  if (round < 0) continue; // warm-up
  alone.push(first ? before : after);
  inspected.push(first ? after : before);
  console.log(
    `round ${round + 1}: alone ${alone.at(-1)!.toFixed(2)} s, inspect ${inspected.at(-1)!.toFixed(2)} s`,
  );
}
const million = [await readMillion("jsonl"), await readMillion("parquet")];

const figures = {
  ...{ machine: machine(), data: basename(data), tokenizer: basename(folder) },
  ...{ rows: examples.length, strings: texts.length, rounds: ROUNDS, alone, inspected, million },
};
console.log(sectionOf(figures));
writeSection("data", sectionOf(figures), figures);
