// Writes what ratio.yaml trains on: `node ratio-rows.mjs MCTEST_FOLDER OUTPUT_FOLDER`.
// MCTEST_FOLDER holds mc160.train.jsonl, mc500.train.jsonl and mc500.test.jsonl with a story in each row. A row of the
// output is a piece of a story and how it goes on. The generation ratio is set twice over: by prompts of several lengths
// before the same completions, and by completions of several lengths after the same prompts.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Words of the part that is the same in all files of a way. */
const [COMPLETION, PROMPT] = [15, 36];
/** Words of the other part, for generation ratios of some 0.1, 0.2, 0.5, 1, 2 and 4. */
const PROMPTS = [150, 75, 30, 15, 8, 4];
const COMPLETIONS = [4, 7, 18, 36, 72, 144];
/** Where a story is cut for the rows whose loss is measured, which are the same for all. */
const [TEST_PROMPT, TEST_COMPLETION] = [60, 30];
/** Of every story that is used: the longest row and the cut that all completions of one length begin at. */
const WORDS = Math.max(PROMPTS[0] + COMPLETION, PROMPT + COMPLETIONS.at(-1));

const [mctest, output] = process.argv.slice(2);
if (output === undefined) throw new Error("node ratio-rows.mjs MCTEST_FOLDER OUTPUT_FOLDER");

/** Each story once, as words. */
function stories(...names) {
  const texts = names.flatMap((name) =>
    readFileSync(join(mctest, name), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).story),
  );
  return [...new Set(texts)]
    .map((text) => text.split(/\s+/).filter((word) => word !== ""))
    .filter((words) => words.length >= WORDS);
}

function row(words, begin, cut, end) {
  return { prompt: words.slice(begin, cut).join(" "), completion: words.slice(cut, end).join(" ") };
}

function write(name, rows) {
  writeFileSync(join(output, name), `${JSON.stringify(rows)}\n`);
}

mkdirSync(output, { recursive: true });
const training = stories("mc160.train.jsonl", "mc500.train.jsonl");
for (const prompt of PROMPTS)
  write(
    `prompts-of-${prompt}.json`,
    training.map((words) => row(words, PROMPTS[0] - prompt, PROMPTS[0], PROMPTS[0] + COMPLETION)),
  );
for (const completion of COMPLETIONS)
  write(
    `completions-of-${completion}.json`,
    training.map((words) => row(words, 0, PROMPT, PROMPT + completion)),
  );
write(
  "test.json",
  stories("mc500.test.jsonl").map((words) => row(words, 0, TEST_PROMPT, TEST_PROMPT + TEST_COMPLETION)),
);
console.log(`${training.length} stories of at least ${WORDS} words`);
