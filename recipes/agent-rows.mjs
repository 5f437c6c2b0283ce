// Writes conversations of a small agent: `node agent-rows.mjs OUTPUT.jsonl [ROWS] [SEED]`, 400 rows and seed 1 where left out.
// A shop's clerk looks up prices and stocks, and calculates with them. Every assistant turn has its reasoning; calls,
// results and definitions are as in OpenAI's fine-tuning files. Every row has a shop of its own, so that no answer can be
// known without the tools. The same arguments write the same bytes.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const [output, count = "400", seed = "1"] = process.argv.slice(2);
const [rows, start] = [Number(count), Number(seed)];
function isWhole(value, least) {
  return Number.isSafeInteger(value) && value >= least;
}
if (output === undefined || !isWhole(rows, 1) || !isWhole(start, 0))
  throw new Error("node agent-rows.mjs OUTPUT.jsonl [ROWS, 1 or more] [SEED, 0 or more]");

const ITEMS = [
  "apple",
  "bell",
  "candle",
  "drum",
  "envelope",
  "fork",
  "glove",
  "hammer",
  "jar",
  "kite",
  "lamp",
  "mug",
];
/** What no shop has. */
const UNKNOWN = ["anchor", "bridge", "comet", "dragon"];

/** One in this many rows asks for what the shop does not have. */
const FAILURES = 6;

function parameters(properties) {
  return { type: "object", properties, required: Object.keys(properties) };
}
const NUMBER = { type: "integer" };
const TOOLS = [
  ["price", "The price of an item, in cents.", { item: { type: "string" } }],
  ["stock", "How many of an item there are.", { item: { type: "string" } }],
  ["multiply", "a times b.", { a: NUMBER, b: NUMBER }],
].map(([name, description, properties]) => ({
  type: "function",
  function: { name, description, parameters: parameters(properties) },
}));

/** Mulberry32: 32 bits of state, the same numbers for the same seed everywhere. */
function drawing(state) {
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
  const below = (limit) => Math.floor((next() / 2 ** 32) * limit);
  return { below, one: (list) => list[below(list.length)] };
}

/** The messages of one row, and the shop that its tools look into. */
class Conversation {
  #draw;
  #shop = new Map();
  #calls = 0;
  messages = [];

  constructor(draw) {
    this.#draw = draw;
  }

  ask(content) {
    this.messages.push({ role: "user", content });
    return this;
  }

  /** A turn that calls tools, and what they give back. */
  call(reasoning, ...calls) {
    const made = calls.map(([name, values]) => ({ id: `call_${++this.#calls}`, name, values }));
    this.messages.push({
      role: "assistant",
      content: null,
      reasoning_content: reasoning,
      tool_calls: made.map(({ id, name, values }) => ({
        ...{ id, type: "function" },
        function: { name, arguments: JSON.stringify(values) },
      })),
    });
    return made.map(({ id, name, values }) => {
      const result = this.#run(name, values);
      this.messages.push({ role: "tool", tool_call_id: id, content: JSON.stringify(result) });
      return result;
    });
  }

  answer(reasoning, content) {
    this.messages.push({ role: "assistant", content, reasoning_content: reasoning });
  }

  #run(name, { item, a, b }) {
    if (name === "multiply") return { product: a * b };
    if (UNKNOWN.includes(item)) return { error: `no ${item} here` };
    if (!this.#shop.has(item))
      this.#shop.set(item, { cents: 5 * (1 + this.#draw.below(60)), count: this.#draw.below(40) });
    const { cents, count } = this.#shop.get(item);
    return name === "price" ? { item, cents } : { item, count };
  }
}

function howMany(talk, draw) {
  const item = draw.one(ITEMS);
  talk.ask(`How many ${item}s are there?`);
  const [{ count }] = talk.call(`The stock of ${item} tells.`, ["stock", { item }]);
  talk.answer(`The stock is ${count}.`, count === 1 ? `There is 1 ${item}.` : `There are ${count} ${item}s.`);
}

function whatDoTheyCost(talk, draw) {
  const [item, a] = [draw.one(ITEMS), 2 + draw.below(8)];
  talk.ask(`What do ${a} ${item}s cost?`);
  const [{ cents: b }] = talk.call(`I need the price of one ${item} first.`, ["price", { item }]);
  const [{ product }] = talk.call(`One costs ${b}, so ${a} times ${b}.`, ["multiply", { a, b }]);
  talk.answer(`The product is ${product}.`, `${a} ${item}s cost ${product} cents.`);
}

function whichCostsMore(talk, draw) {
  const first = draw.one(ITEMS);
  const second = draw.one(ITEMS.filter((item) => item !== first));
  talk.ask(`Which costs more, the ${first} or the ${second}?`);
  const found = talk.call("Both prices are needed.", ["price", { item: first }], ["price", { item: second }]);
  const [{ cents: a }, { cents: b }] = found;
  const more = a > b ? first : second;
  const sign = a > b ? "more than" : a < b ? "less than" : "as much as";
  talk.answer(
    `${a} is ${sign} ${b}.`,
    a === b ? `Both cost ${a} cents.` : `The ${more}, at ${Math.max(a, b)} cents.`,
  );
}

function notThere(talk, draw) {
  const item = draw.one(UNKNOWN);
  talk.ask(`What does the ${item} cost?`);
  const [{ error }] = talk.call(`The price of ${item} tells.`, ["price", { item }]);
  talk.answer(`The tool says: ${error}.`, `The shop has no ${item}.`);
}

const draw = drawing(start);
const lines = Array.from({ length: rows }, () => {
  const talk = new Conversation(draw);
  const kind = draw.below(FAILURES) === 0 ? notThere : draw.one([howMany, whatDoTheyCost, whichCostsMore]);
  kind(talk, draw);
  return `${JSON.stringify({ tools: TOOLS, messages: talk.messages })}\n`;
});
mkdirSync(dirname(output), { recursive: true });
writeFileSync(output, lines.join(""));
