// Conversations with tools and reasoning through chat templates, held to transformers' apply_chat_template: text, ids and
// prompts, in goldens/tool-chats.json; and which stretch is what.
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { needs } from "../../../../../test/needs.ts";
import { dialogue } from "../../../test/examples.ts";
import { promptOf, showRendering } from "../../../test/show-rendering.ts";
import { GOLDEN_FOLDERS, TINY_BYTES, TINY_PIECES } from "../../../test/tokenizers.ts";
import type { ConversationExample } from "../example.ts";
import { loadExamples } from "../rows/index.ts";
import { loadTokenizer, type Tokenizer } from "../tokenizer/index.ts";
import { ExampleTokenizer } from "../tokens/index.ts";
import { ChatTemplate, type ChatTemplateOptions } from "./chat-template.ts";
import { NAMED_TEMPLATES, type TemplateName } from "./named.ts";
import type { Rendering } from "./rendering.ts";
import { createTemplate } from "./template.ts";

interface Golden {
  readonly tokenizer: string;
  readonly template: string | null;
  readonly chats: readonly {
    readonly text?: string;
    readonly ids?: number[];
    readonly mask?: number[];
    readonly prompts?: Readonly<Record<string, string>>;
    readonly error?: string;
  }[];
}

const goldens: Golden[] = JSON.parse(
  readFileSync(new URL("../../../test/goldens/tool-chats.json", import.meta.url), "utf8"),
);

/** What is refused beyond what the template raises, by the number of the row. */
const REFUSED: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  // Tools stand before the last question alone, reasoning behind it: with a later question earlier prompts read otherwise.
  "bracket-calls.jinja": {
    2: "the completion in turn 2 reads otherwise when the conversation goes on",
    7: "the reasoning of the completion in turn 2 is not shown as inference would write it",
  },
  "json-calls.jinja": {
    7: "the reasoning of the completion in turn 2 is not shown as inference would write it",
  },
  "thinking.jinja": {
    6: "the reasoning of the completion in turn 2 is not shown as inference would write it",
  },
  llama3: {
    1: "does not show the row's tools",
    2: "does not show the row's tools",
    7: "does not show the row's tools",
    8: "does not show the row's tools",
    9: "does not show the row's tools",
  },
};

/** Of those, the ones of which the last turn can be trained alone. */
const LAST: Readonly<Record<string, readonly number[]>> = {
  "thinking.jinja": [6],
};

/** Rows of reasoning that the template has no key for: it stands in the content, which apply_chat_template was not told. */
function hasOtherContent({ notes }: Rendering): boolean {
  return (notes?.reasoningInContent ?? 0) > 0;
}

let examples: ConversationExample[];
beforeAll(async () => {
  const path = new URL("../../../test/goldens/tool-rows.jsonl", import.meta.url).pathname;
  examples = (await loadExamples({ path })).examples as ConversationExample[];
});

function templateOf(tokenizer: Tokenizer, name: string | null, options?: ChatTemplateOptions): ChatTemplate {
  if (name === null) return new ChatTemplate(tokenizer, options);
  const source = readFileSync(new URL(`../../../test/chat-templates/${name}`, import.meta.url), "utf8");
  const { path, special, specialTexts, prefixIds, stopIds } = tokenizer;
  const tokenOf = tokenizer.tokenOf.bind(tokenizer);
  const known = { path, special, specialTexts, prefixIds, stopIds, tokenOf };
  return new ChatTemplate({ ...known, chatTemplate: source, chatTemplateNames: [] }, options);
}

describe.each(goldens.map((golden) => [golden.template ?? golden.tokenizer, golden] as const))(
  "%s",
  (name, golden) => {
    const folder = GOLDEN_FOLDERS[golden.tokenizer];
    needs("shared", folder).test("renders and encodes as apply_chat_template does", async () => {
      const tokenizer = await loadTokenizer(folder!);
      const template = templateOf(tokenizer, golden.template);
      let compared = 0;
      for (const [i, { text, ids, mask, prompts, error }] of golden.chats.entries()) {
        const example = examples[i]!;
        const refused = error ?? REFUSED[name]?.[i + 1];
        if (refused !== undefined) {
          expect(() => template.render(example, "all"), `row ${i + 1}`).toThrow(refused);
          expect(() => template.render(example, "all"), `row ${i + 1}`).toThrow(`row ${i + 1}: template`);
          if (!LAST[name]?.includes(i + 1)) continue;
          const [last] = template.render(example, "last");
          expect(last!.text).toBe(text);
          expect(promptOf(last!)).toBe(prompts![example.turns.length - 1]);
          compared++;
          continue;
        }
        const [rendering] = template.render(example, "all");
        if (hasOtherContent(rendering!)) continue;
        compared++;
        // LLaMA 3's template opens an answer even behind the last one: not trained on.
        const appended = name === "llama3" ? "<|start_header_id|>assistant<|end_header_id|>\n\n" : "";
        expect(rendering!.text + appended).toBe(text);
        expect([...(await tokenizer.encode(text!)).ids]).toEqual(ids);
        for (const [place, { turn }] of rendering!.targets.entries()) {
          expect(promptOf(rendering!, place)).toBe(prompts![turn]);
          // What generation gives the model is what training puts before the answer.
          const before = example.turns.slice(0, turn);
          expect(template.renderPrompt(before, example.tools).text).toBe(prompts![turn]);
        }
        expectStops(rendering!, tokenizer);
        const encoder = new ExampleTokenizer(tokenizer, template);
        for await (const row of encoder.rows([example])) {
          expect([...row.ids]).toEqual(ids!.slice(0, row.ids.length));
          // Marks around all that is trained cover its tokens and no others.
          if (name === "tag-calls.jinja")
            expect(Array.from(row.classes, (code) => (IS_WRITTEN.has(code) ? 1 : 0))).toEqual(mask);
        }
      }
      expect(compared).toBeGreaterThan(1);
    });
  },
);

/**
 * Every trained turn ends in one of the tokenizer's stop tokens, which is trained. LLaMA 3's ends in a special token that
 * its folder does not name as a stop, for want of a generation config: that is warned of elsewhere.
 */
function expectStops({ text, spans, targets }: Rendering, tokenizer: Tokenizer): void {
  expect(targets.length).toBeGreaterThan(0);
  for (const { end } of targets) {
    const last = spans.find((span) => span.end === end)!;
    expect(last.class).toBe("end");
    const id = tokenizer.idOf(text.slice(last.start, last.end))!;
    const stops = tokenizer.path.endsWith("llama3") ? tokenizer.specialIds : tokenizer.stopIds;
    expect(stops).toContain(id);
    expect([last.weight, last.scale]).toEqual([undefined, undefined]);
  }
}

/** Codes of completion, end, reasoning and tool-call. */
const IS_WRITTEN = new Set([4, 5, 8, 9]);

test.each(Object.keys(NAMED_TEMPLATES) as TemplateName[])(
  "every trained turn ends in a stop token that is trained: %s",
  async (name) => {
    const tokenizer = await loadTokenizer(name === "chatml" ? TINY_BYTES : TINY_PIECES);
    // LLaMA 3's own is no token of these.
    const stops = name === "llama3" ? { ...NAMED_TEMPLATES.llama3, assistant: "{output}{stop}" } : name;
    const talk = name === "alpaca" ? dialogue("q", "a") : dialogue("q", "a", "r", "b");
    const [rendering] = createTemplate(stops, tokenizer).render(talk, "all");
    expect(rendering!.targets).toHaveLength(name === "alpaca" ? 1 : 2);
    expectStops(rendering!, tokenizer);
  },
);

describe("spans", () => {
  let tokenizer: Tokenizer;
  beforeAll(async () => {
    tokenizer = await loadTokenizer(TINY_BYTES);
  });

  function shown(name: string, row: number, options?: ChatTemplateOptions): string[][] {
    const template = templateOf(tokenizer, name, options);
    return template.render(examples[row - 1]!, "all").map(showRendering);
  }

  /** The spans that are no template. */
  function bodies(spans: readonly string[]): string[] {
    return spans.filter((span) => !span.startsWith("template"));
  }

  test("of JSON: the definition, the call and its result, with what the model writes around the call", () => {
    const [spans] = shown("tag-calls.jinja", 1);
    expect(bodies(spans!)).toEqual([
      'tool-definition⟨{"type": "function", "function": {"name": "weather", "description": "The weather of a \\"city\\" — é", "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "number", "minimum": 0.5, "default": 1.0}}, "required": ["city"]}}}⟩',
      "system⟨Be brief.⟩",
      "instruction⟨Weather in Paris?⟩",
      "completion⟨\n<tool_call>\n⟩",
      'tool-call⟨{"name": "weather", "arguments": {"city": "Paris", "days": 1.0}}⟩',
      "completion⟨\n</tool_call>⟩",
      "end⟨<|im_end|>⟩",
      'tool-result⟨{"degrees": 18}⟩',
      "completion⟨18 degrees.⟩",
      "end⟨<|im_end|>⟩",
    ]);
    const around = spans![spans!.findIndex((span) => span.startsWith("tool-result")) + 1];
    expect(around).toBe("template⟨\n</tool_response><|im_end|>\n<|im_start|>assistant\n⟩");
  });

  test("of several calls at once and of words before them", () => {
    expect(bodies(shown("thinking.jinja", 2)[0]!).slice(2, 12)).toEqual([
      "instruction⟨What time is it, and where?⟩",
      "completion⟨Let me look.\n<tool_call>\n⟩",
      'tool-call⟨{"name": "time", "arguments": {}}⟩',
      "completion⟨\n</tool_call>\n<tool_call>\n⟩",
      'tool-call⟨{"name": "place", "arguments": {"exact": true, "near": [1, 2.5, 1e-07, 12345678901234567890], "10": null, "9": "a\\nb"}}⟩',
      "completion⟨\n</tool_call>⟩",
      "end⟨<|im_end|>⟩",
      "tool-result⟨noon⟩",
      'tool-result⟨"here"\n⟩',
      "completion⟨Noon, here.⟩",
    ]);
  });

  test("of calls and definitions in a template's own words", () => {
    const [spans] = shown("word-calls.jinja", 7);
    expect(bodies(spans!)).toEqual([
      "tool-definition⟨find: Finds⟩",
      "instruction⟨Find it.⟩",
      "completion⟨<think>\n⟩",
      "reasoning⟨I need the tool.⟩",
      "completion⟨\n</think>\n\n<call=⟩",
      "tool-call⟨find>\nwhat=it⟩",
      "completion⟨\n</call>\n⟩",
      "end⟨<|im_end|>⟩",
      "tool-result⟨found⟩",
      "completion⟨<think>\n⟩",
      "reasoning⟨There.⟩",
      "completion⟨\n</think>\n\nHere it is.⟩",
      "end⟨<|im_end|>⟩",
    ]);
  });

  test("of a result that the template escapes, and of arguments under another name", () => {
    const spans = bodies(shown("json-calls.jinja", 1)[0]!);
    expect(spans.find((span) => span.startsWith("tool-result"))).toBe('tool-result⟨{\\"degrees\\": 18}⟩');
    expect(spans.find((span) => span.startsWith("tool-call"))).toBe(
      'tool-call⟨{"name": "weather", "parameters": {"city": "Paris", "days": 1.0}}⟩',
    );
  });

  test("of words that say the same as calls, tools and results around them", () => {
    const spans = bodies(shown("tag-calls.jinja", 8)[0]!);
    expect(spans.slice(0, 7)).toEqual([
      'tool-definition⟨{"type": "function", "function": {"name": "find", "description": "find"}}⟩',
      "instruction⟨Call it.⟩",
      "completion⟨\n<tool_call>\n⟩",
      'tool-call⟨{"name": "find", "arguments": {"what": "find"}}⟩',
      "completion⟨\n</tool_call>⟩",
      "end⟨<|im_end|>⟩",
      "tool-result⟨find⟩",
    ]);
  });

  test("reasoning beside the words and in them is the same to a template that knows both", () => {
    const [beside, inside] = [3, 4].map((row) => bodies(shown("thinking.jinja", row)[0]!));
    expect(beside).toEqual(inside);
    expect(beside!.slice(1)).toEqual([
      "completion⟨<think>\n⟩",
      "reasoning⟨Two and two.⟩",
      "completion⟨\n</think>\n\n4⟩",
      "end⟨<|im_end|>⟩",
    ]);
    expect(bodies(shown("thinking.jinja", 5)[0]!).slice(1, 2)).toEqual([
      "completion⟨<think>\n\n</think>\n\n4⟩",
    ]);
  });

  test("reasoning of earlier turns is left out as at inference, and counted", () => {
    const template = templateOf(tokenizer, "thinking.jinja", { rewrittenHistory: "split" });
    const rows = template.render(examples[5]!, "all");
    expect(rows.map((row) => bodies(showRendering(row)))).toEqual([
      [
        "instruction⟨2 + 2?⟩",
        "completion⟨<think>\n⟩",
        "reasoning⟨Two.⟩",
        "completion⟨\n</think>\n\n4⟩",
        "end⟨<|im_end|>⟩",
      ],
      [
        "instruction⟨2 + 2?⟩",
        "input⟨4⟩",
        "instruction⟨And 3 + 3?⟩",
        "completion⟨<think>\n⟩",
        "reasoning⟨Three.⟩",
        "completion⟨\n</think>\n\n6⟩",
        "end⟨<|im_end|>⟩",
      ],
    ]);
    expect(rows.map(({ notes }) => notes?.hiddenReasoning ?? 0)).toEqual([0, 1]);
  });

  test("calls of a turn that is not trained are context", () => {
    const [rendering] = templateOf(tokenizer, "tag-calls.jinja").render(examples[0]!, "last");
    const spans = bodies(showRendering(rendering!));
    expect(spans[3]).toBe('input⟨{"name": "weather", "arguments": {"city": "Paris", "days": 1.0}}⟩');
    expect(spans.filter((span) => span.startsWith("end"))).toHaveLength(1);
  });

  test("a weighted turn weighs its calls and scales its stop token", () => {
    const [question, call, ...rest] = examples[7]!.turns;
    const weighted = { ...examples[7]!, turns: [question!, { ...call!, weight: 0.5 }, ...rest] };
    const [rendering] = templateOf(tokenizer, "tag-calls.jinja").render(weighted, "all");
    expect(bodies(showRendering(rendering!)).slice(2, 6)).toEqual([
      "completion*0.5⟨\n<tool_call>\n⟩",
      'tool-call=0.5⟨{"name": "find", "arguments": {"what": "find"}}⟩',
      "completion*0.5⟨\n</tool_call>⟩",
      "end*0.5⟨<|im_end|>⟩",
    ]);
  });

  test("a special token that closes a call is not taken for the one that ends the turn", () => {
    const { path, special, specialTexts, prefixIds } = tokenizer;
    const chatTemplate =
      "{% for message in messages %}{{ '<|im_start|>' + message.role + ' ' + message.content }}{% for call in message.tool_calls or [] %}{{ call.function | tojson + '<|close|>' }}{% endfor %}{{ '<|im_end|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant ' }}{% endif %}";
    const known = { path, special, specialTexts: [...specialTexts, "<|close|>"], prefixIds };
    const template = new ChatTemplate({ ...known, chatTemplate, chatTemplateNames: [] });
    const { tools: _, ...talk } = examples[7]!;
    expect(bodies(showRendering(template.render(talk, "all")[0]!)).slice(1, 4)).toEqual([
      'tool-call⟨{"name": "find", "arguments": {"what": "find"}}⟩',
      "completion⟨<|close|>⟩",
      "end⟨<|im_end|>⟩",
    ]);
  });

  test("generation marks are compared with what is trained", () => {
    const notes = (name: string, row: number) =>
      templateOf(tokenizer, name).render(examples[row - 1]!, "all")[0]!.notes;
    expect(notes("tag-calls.jinja", 1)).toMatchObject({ markedTurns: 2, markDifferences: [] });
    expect(notes("word-calls.jinja", 1)).toMatchObject({
      markedTurns: 2,
      markDifferences: [
        'turn 3: they leave out "<|im_end|>" at its end',
        'turn 5: they leave out "<|im_end|>" at its end',
      ],
    });
  });

  test("a template without a place for tools, calls or reasoning says so", async () => {
    const plain = new ChatTemplate(tokenizer);
    expect(() => plain.render(examples[0]!, "all")).toThrow(
      "row 1: template tokenizer: does not show the row's tools",
    );
    const { tools: _, ...without } = examples[0]!;
    expect(() => plain.render(without, "all")).toThrow("does not show the tool calls of turn 3");
    const encoder = new ExampleTokenizer(tokenizer, plain);
    for await (const _ of encoder.rows([examples[2]!]));
    expect(encoder.report.warnings.join()).toContain(
      "that of 1 turn was written into the words, in <think> marks",
    );
  });
});
