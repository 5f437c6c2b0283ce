import { describe, expect, test } from "vitest";
import { needs } from "../../../../../test/needs.ts";
import { alpaca, conversation, dialogue, turn } from "../../../test/examples.ts";
import { promptOf, showRendering } from "../../../test/show-rendering.ts";
import { GOLDEN_FOLDERS, readGolden } from "../../../test/tokenizers.ts";
import type { Turn } from "../example.ts";
import { loadTokenizer } from "../tokenizer/index.ts";
import { ChatTemplate, type ChatTemplateOptions } from "./chat-template.ts";

function templateOf(chatTemplate: string, options: ChatTemplateOptions = {}): ChatTemplate {
  return new ChatTemplate(
    {
      path: "test",
      chatTemplateNames: [],
      prefixIds: Int32Array.of(1),
      chatTemplate,
      special: { bos: "<s>", eos: "</s>", pad: undefined, unk: undefined },
      specialTexts: ["<|im_start|>", "<|im_end|>", "<|user|>", "<|bot|>", "<s>", "</s>"],
    },
    options,
  );
}

function LOOP(body: string, end = ""): string {
  return `{% for message in messages %}${body}{% endfor %}${end}`;
}
const CHATML = LOOP(
  "{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}",
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
);

describe.each(Object.entries(GOLDEN_FOLDERS).filter(([name]) => readGolden(name).chats.length > 0))(
  "%s",
  (name, folder) => {
    needs("shared", folder).test("renders what apply_chat_template renders", async () => {
      const template = new ChatTemplate(await loadTokenizer(folder!));
      for (const golden of readGolden(name).chats) {
        const example = conversation(...golden.messages.map(({ role, content }) => turn(role, content)));
        if (golden.error !== undefined) {
          expect(() => template.render(example, "all")).toThrow(golden.error);
          continue;
        }
        const [rendering] = template.render(example, "all");
        expect(template.renderPrompt(example.turns.slice(0, -1)).text).toBe(golden.prompt);
        expect(promptOf(rendering!, rendering!.targets.length - 1)).toBe(golden.prompt);
        // LLaMA 3's template appends a header for the next answer even behind the last one: not trained on.
        const appended = golden.text!.slice(rendering!.text.length);
        expect(golden.text).toBe(rendering!.text + appended);
        expect(appended).toBe(name === "llama3" ? "<|start_header_id|>assistant<|end_header_id|>\n\n" : "");
        expect(rendering!.spans.at(-1)!.end).toBe(rendering!.text.length);
      }
    });
  },
);

describe("spans", () => {
  test("words that also stand in the template are told apart from it", () => {
    const [rendering] = templateOf(CHATML).render(dialogue("user", "assistant", "<|im_end|>", "end"), "all");
    expect(showRendering(rendering!)).toEqual([
      "template⟨<|im_start|>user\n⟩",
      "instruction⟨user⟩",
      "template⟨<|im_end|>\n<|im_start|>assistant\n⟩",
      "completion⟨assistant⟩",
      "end⟨<|im_end|>⟩",
      "template⟨\n<|im_start|>user\n⟩",
      "instruction⟨<|im_end|>⟩",
      "template⟨<|im_end|>\n<|im_start|>assistant\n⟩",
      "completion⟨end⟩",
      "end⟨<|im_end|>⟩",
      "template⟨\n⟩",
    ]);
  });

  test("instruction, input and part weights inside one message", () => {
    const example = alpaca("Add.", "1 2", "3");
    const [rendering] = templateOf(CHATML).render(example, "all");
    expect(showRendering(rendering!).slice(1, 4)).toEqual([
      "instruction⟨Add.⟩",
      "template⟨\n⟩",
      "input⟨1 2⟩",
    ]);
    const weighted = conversation(turn("user", " q ", 0.5), turn("assistant", "a", 2));
    const trimming = templateOf(LOOP("{{ message.content | trim }}|"));
    expect(showRendering(trimming.render(weighted, "all")[0]!)).toEqual([
      "instruction=0.5⟨q⟩",
      "template*0.5⟨|⟩",
      "completion=2⟨a⟩",
      "template*2⟨|⟩",
    ]);
  });

  test("what the template writes into the answer is completion", () => {
    const thinking = LOOP(
      "<|im_start|>{{ message.role }}\n{% if message.role == 'assistant' and loop.last %}<think>\n\n</think>\n\n{% endif %}{{ message.content }} <|im_end|>",
      "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
    );
    const [rendering] = templateOf(thinking).render(dialogue("q", "a"), "all");
    expect(showRendering(rendering!).slice(-2)).toEqual([
      "completion⟨<think>\n\n</think>\n\na ⟩",
      "end⟨<|im_end|>⟩",
    ]);
  });

  test("a template without a stop token has no end span, even where the next header is a special token", () => {
    const stopless = LOOP(
      "{{ '<|user|>' if message.role == 'user' else '<|bot|>' }}{{ message.content }}",
      "{% if add_generation_prompt %}<|bot|>{% endif %}",
    );
    const [rendering] = templateOf(stopless).render(dialogue("a", "b", "c", "d"), "all");
    expect(showRendering(rendering!).filter((span) => span.startsWith("end"))).toEqual([]);
    expect(rendering!.targets).toHaveLength(2);
  });

  test("generation tags are read", () => {
    const tagged = LOOP(
      "{% if message.role == 'assistant' %}{% generation %}{{ message.content }}</s>{% endgeneration %}{% else %}U:{{ message.content }}{% endif %}",
    );
    const [rendering] = templateOf(tagged).render(dialogue("q", "a"), "all");
    expect(showRendering(rendering!).slice(-2)).toEqual(["completion⟨a⟩", "end⟨</s>⟩"]);
  });
});

describe("templates that rewrite history", () => {
  const STRIPPING = LOOP(
    "<|im_start|>{{ message.role }}\n{% if message.role == 'assistant' and not loop.last %}{{ message.content.split('</think>')[-1] }}{% else %}{{ message.content }}{% endif %}<|im_end|>\n",
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
  );
  const thoughts = dialogue("q1", "<think>t1</think>a1", "q2", "<think>t2</think>a2");

  test("are refused where several answers are trained", () => {
    expect(() => templateOf(STRIPPING).render(thoughts, "all")).toThrow(
      /test\.jsonl, row 1: template tokenizer: the reasoning of the completion in turn 2 is not shown/,
    );
  });

  test("are split when asked", () => {
    const rows = templateOf(STRIPPING, { rewrittenHistory: "split" }).render(thoughts, "all");
    expect(rows).toHaveLength(2);
    expect(rows[0]!.text).toMatch(/<think>t1<\/think>a1<\|im_end\|>\n$/);
    expect(rows[1]!.text).toContain("assistant\na1<|im_end|>");
    expect(rows[1]!.text).toContain("<think>t2</think>a2");
    expect(rows.map((row) => row.targets.map((target) => target.turn))).toEqual([[1], [3]]);
  });

  test("serve a single trained answer", () => {
    const [last] = templateOf(STRIPPING).render(thoughts, "last");
    expect(promptOf(last!)).toContain("assistant\na1<|im_end|>");
    const [first] = templateOf(STRIPPING).render(thoughts, [1]);
    expect(first!.text).toMatch(/<think>t1<\/think>a1<\|im_end\|>\n$/);
  });

  test("are refused where the generation prompt itself is lost", () => {
    const forced = LOOP(
      "[{{ message.role }}]{{ message.content }}</s>",
      "{% if add_generation_prompt %}[assistant]<think>\n{% endif %}",
    );
    expect(() => templateOf(forced).render(dialogue("q", "a"), "all")).toThrow(
      /the prompt of the completion in turn 2 reads otherwise/,
    );
  });

  test("a system message that moves to the last user turn is refused for several answers", () => {
    const moving = LOOP(
      "{% if message.role == 'user' %}[INST]{% if messages[0].role == 'system' and (loop.last or loop.index0 == messages | length - 2) %}{{ messages[0].content }}\n{% endif %}{{ message.content }}[/INST]{% elif message.role == 'assistant' %}{{ message.content }}</s>{% endif %}",
    );
    const talk = conversation(
      turn("system", "S"),
      turn("user", "a"),
      turn("assistant", "b"),
      turn("user", "c"),
      turn("assistant", "d"),
    );
    expect(() => templateOf(moving).render(talk, "all")).toThrow(/reads otherwise/);
    const rows = templateOf(moving, { rewrittenHistory: "split" }).render(talk, "all");
    expect(rows.map((row) => row.text)).toEqual([
      "[INST]S\na[/INST]b</s>",
      "[INST]a[/INST]b</s>[INST]S\nc[/INST]d</s>",
    ]);
  });
});

describe("refusals", () => {
  test("what the template raises names the row", () => {
    const strict = LOOP(
      "{% if (message.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}{{ message.content }}",
    );
    expect(() =>
      templateOf(strict).render(
        conversation(turn("user", "a"), turn("user", "b"), turn("assistant", "c")),
        "all",
      ),
    ).toThrow("test.jsonl, row 1: template tokenizer: refuses the conversation: roles must alternate");
  });

  test("a message that the template leaves out is an error", () => {
    const deaf = LOOP("{% if message.role != 'system' %}{{ message.content }}</s>{% endif %}");
    const talk = conversation(turn("system", "S"), turn("user", "a"), turn("assistant", "b"));
    expect(() => templateOf(deaf).render(talk, "all")).toThrow("does not show the system message of turn 1");
  });

  test("changed words carry one weight, and cannot carry several", () => {
    const shouting = templateOf(
      LOOP("{{ message.content | upper if message.role == 'user' else message.content }}|"),
    );
    const [first, second] = [turn("user", "q", 0.5), turn("user", "r", 0.25)];
    const both: Turn = { role: "user", parts: [...first.parts, ...second.parts] };
    expect(() => shouting.render(conversation(both, turn("assistant", "a")), "all")).toThrow(
      /changes the words of turn 1/,
    );
    const one = shouting.render(conversation(first, turn("assistant", "a")), "all")[0]!;
    expect(showRendering(one)[0]).toBe("instruction=0.5⟨Q⟩");
    expect(showRendering(shouting.render(dialogue("q", "a"), "all")[0]!)[0]).toBe("instruction⟨Q⟩");
  });

  test("warns of dates and of a missing BOS", () => {
    const warnings = (source: string): string => templateOf(source).warnings.join("; ");
    expect(warnings(`{{ bos_token }}${CHATML}`)).toBe("");
    expect(warnings(CHATML)).toContain("does not write BOS");
    expect(warnings(`{{ bos_token }}{{ strftime_now('%Y') }}${CHATML}`)).toContain("writes today's date");
  });

  test("no template, or one that is not Jinja", () => {
    expect(() => templateOf("{% if x")).toThrow(/cannot be read as Jinja/);
    expect(() => templateOf(undefined as never)).toThrow(/has no chat template/);
  });
});
