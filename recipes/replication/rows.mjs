// Writes what study.yaml trains on and asks: `node rows.mjs MCTEST_FOLDER ALPACA_JSON OUTPUT_FOLDER`.
// MCTEST_FOLDER holds mc160.train.jsonl, mc500.train.jsonl, mc500.dev.jsonl and mc500.test.jsonl (id, story, question,
// choices, answer A to D); ALPACA_JSON is Stanford's alpaca_data.json. No story and no instruction is in two of the files.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { spaced } from "./row-parts.mjs";

/** Rows of each training set: three epochs of either are some 160,000 and 170,000 tokens. */
const QUESTIONS = 240;
const INSTRUCTIONS = 500;
/** Rows of each set whose loss is measured while training. */
const HELD_OUT = 120;
/** Instructions of the file's end that are answered freely. */
const TEST_INSTRUCTIONS = 100;

const [mctest, alpaca, output] = process.argv.slice(2);
if (output === undefined) throw new Error("node rows.mjs MCTEST_FOLDER ALPACA_JSON OUTPUT_FOLDER");

function questions(name) {
  return readFileSync(join(mctest, name), "utf8")
    .trim()
    .split("\n")
    .map((line) => {
      const { story, question, choices, answer } = JSON.parse(line);
      const gold = "ABCD".indexOf(answer);
      return { instruction: question, input: story, output: choices[gold], choices, gold };
    });
}

/** Characters of a story's end that fit into 256 tokens. */
const STORY_CHARACTERS = 750;

function lastWords(story) {
  return story.length <= STORY_CHARACTERS ? story : story.slice(-STORY_CHARACTERS).replace(/^\S*\s+/, "");
}

function training({ instruction, input, output: answer }) {
  return { instruction, input, output: answer };
}
function write(name, text) {
  return writeFileSync(join(output, name), text);
}
function lines(rows) {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join("");
}

mkdirSync(output, { recursive: true });
const stories = [...questions("mc160.train.jsonl"), ...questions("mc500.train.jsonl")];
const asked = spaced(stories, QUESTIONS);
write("short.json", JSON.stringify(asked.map(training)));
// The ends of their stories as plain text, one for each question: what 256 tokens leave of most.
write("stories.jsonl", lines(asked.map(({ input }) => ({ text: lastWords(input) }))));
write("short-held-out.json", JSON.stringify(spaced(questions("mc500.dev.jsonl"), HELD_OUT).map(training)));
write("story-questions.jsonl", lines(questions("mc500.test.jsonl")));

const instructions = JSON.parse(readFileSync(alpaca, "utf8")).filter((row) => row.output.trim() !== "");
const untested = instructions.slice(0, -TEST_INSTRUCTIONS);
const spread = spaced(untested, INSTRUCTIONS + HELD_OUT);
function isHeldOut(i) {
  return Math.floor((i * HELD_OUT) / spread.length) !== Math.floor(((i + 1) * HELD_OUT) / spread.length);
}
write("long.json", JSON.stringify(spread.filter((_, i) => !isHeldOut(i))));
write("long-held-out.json", JSON.stringify(spread.filter((_, i) => isHeldOut(i))));
write("instructions.jsonl", lines(instructions.slice(-TEST_INSTRUCTIONS)));
