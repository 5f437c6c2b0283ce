// Writes what domains.yaml trains on: `node domain-rows.mjs DOLLY_JSON ALPAGASUS_JSON OUTPUT_FOLDER`. DOLLY_JSON has rows of
// instruction, input, output and category, as databricks-dolly-15k; ALPAGASUS_JSON those of AlpaGasus. No row is in two of
// the files.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fractions, spaced } from "./row-parts.mjs";

/** Rows of each training set, as short.json has: three epochs are 45 steps. */
const ROWS = 240;
/** Rows of each set that is held out, or a third where there are few. */
const HELD_OUT = 120;
/** Characters of an answer that leave room for a prompt in 256 tokens; longer prompts lose their beginnings. */
const MOST_CHARACTERS = 700;

const [dolly, alpagasus, output] = process.argv.slice(2);
if (output === undefined) throw new Error("node domain-rows.mjs DOLLY_JSON ALPAGASUS_JSON OUTPUT_FOLDER");

function fits({ output: answer }) {
  return answer.trim() !== "" && answer.length <= MOST_CHARACTERS;
}

/** Each question once. */
function read(file) {
  const rows = JSON.parse(readFileSync(file, "utf8")).filter(fits);
  return [...new Map(rows.map((row) => [`${row.instruction}\n${row.input ?? ""}`, row])).values()];
}

/** The rows of a small set come again until there are enough. */
function write(name, rows) {
  const heldOut = Math.min(HELD_OUT, Math.floor(rows.length / 3));
  const chosen = spaced(rows, Math.min(rows.length, ROWS + heldOut));
  const measured = new Set(spaced(chosen, heldOut));
  const trained = chosen.filter((row) => !measured.has(row));
  const repeated = Array.from({ length: ROWS }, (_, i) => trained[i % trained.length]);
  const plain = ({ instruction, input = "", output: answer }) => ({ instruction, input, output: answer });
  writeFileSync(join(output, `${name}.json`), JSON.stringify(repeated.map(plain)));
  writeFileSync(join(output, `${name}-held-out.json`), JSON.stringify([...measured].map(plain)));
}

/** Sums and differences of numbers below 100, each pair once. */
function arithmetic() {
  const fraction = fractions();
  const next = () => Math.floor(fraction() * 100);
  const rows = new Map();
  while (rows.size < ROWS + HELD_OUT) {
    const [a, b] = [next(), next()];
    const [sign, answer] = rows.size % 2 === 0 ? ["+", a + b] : ["-", a - b];
    const instruction = `What is ${a} ${sign} ${b}?`;
    rows.set(instruction, { instruction, output: String(answer) });
  }
  return [...rows.values()];
}

mkdirSync(output, { recursive: true });
const rows = read(dolly);
function ofCategories(...categories) {
  return rows.filter(({ category }) => categories.includes(category));
}
// A question about a text, whether the text or a part of it is asked for.
write("closed-questions", ofCategories("closed_qa", "information_extraction"));
write("classification", ofCategories("classification"));
write("creative-writing", ofCategories("creative_writing"));
write("alpagasus", read(alpagasus));
write("arithmetic", arithmetic());
