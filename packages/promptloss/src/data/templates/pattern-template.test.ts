import { describe, expect, test } from "vitest";
import { alpaca, conversation, dialogue, turn } from "../../../test/examples.ts";
import { promptOf, showRendering } from "../../../test/show-rendering.ts";
import { TINY_BYTES, TINY_PIECES } from "../../../test/tokenizers.ts";
import { loadTokenizer } from "../tokenizer/index.ts";
import { createTemplate, TemplateError } from "./index.ts";

const pieces = await loadTokenizer(TINY_PIECES);
const bytes = await loadTokenizer(TINY_BYTES);

describe("alpaca", () => {
  const template = createTemplate("alpaca", pieces);

  test("with an input", () => {
    const [rendering] = template.render(alpaca("Add.", "1 and 2", "3"), "all");
    expect(showRendering(rendering!)).toEqual([
      "template⟨Below is an instruction that describes a task, paired with an input that provides further context. Write a response that appropriately completes the request.\n\n### Instruction:\n⟩",
      "instruction⟨Add.⟩",
      "template⟨\n\n### Input:\n⟩",
      "input⟨1 and 2⟩",
      "template⟨\n\n### Response:⟩",
      "completion⟨3⟩",
      "end⟨</s>⟩",
    ]);
    expect(promptOf(rendering!)).toMatch(/### Response:$/);
    expect(rendering!.addsPrefix).toBe(true);
  });

  test("without an input", () => {
    const [rendering] = template.render(alpaca("Add.", "", "3"), "all");
    expect(rendering!.text).toBe(
      "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n### Instruction:\nAdd.\n\n### Response:3</s>",
    );
  });

  test("refuses conversations, naming the row", () => {
    expect(() => template.render(dialogue("a", "b", "c", "d"), "all")).toThrow(
      "test.jsonl, row 1: template alpaca: takes one user turn and one assistant turn",
    );
    const withSystem = conversation(turn("system", "s"), turn("user", "u"), turn("assistant", "a"));
    expect(() => template.render(withSystem, "all")).toThrow(TemplateError);
  });
});

describe("multi-turn templates", () => {
  const talk = conversation(
    turn("system", "Be brief."),
    turn("user", "One?"),
    turn("assistant", "1"),
    turn("user", "Two?"),
    turn("assistant", "2"),
  );

  test("chatml: untrained turns are context", () => {
    const [rendering] = createTemplate("chatml", bytes).render(talk, "last");
    expect(showRendering(rendering!)).toEqual([
      "template⟨<|im_start|>system\n⟩",
      "system⟨Be brief.⟩",
      "template⟨<|im_end|>\n<|im_start|>user\n⟩",
      "instruction⟨One?⟩",
      "template⟨<|im_end|>\n<|im_start|>assistant\n⟩",
      "input⟨1⟩",
      "template⟨<|im_end|>\n<|im_start|>user\n⟩",
      "instruction⟨Two?⟩",
      "template⟨<|im_end|>\n<|im_start|>assistant\n⟩",
      "completion⟨2⟩",
      "end⟨<|im_end|>⟩",
      "template⟨\n⟩",
    ]);
    expect(rendering!.targets).toHaveLength(1);
  });

  test("llama2: the system message is inside the first user turn, the answer starts behind [/INST]", () => {
    const [rendering] = createTemplate("llama2", pieces).render(talk, "all");
    expect(rendering!.text).toBe(
      "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nOne? [/INST] 1 </s><s>[INST] Two? [/INST] 2 </s>",
    );
    expect(promptOf(rendering!, 0)).toMatch(/\[\/INST\]$/);
    expect(promptOf(rendering!, 1)).toMatch(/Two\? \[\/INST\]$/);
    expect(showRendering(rendering!).filter((span) => span.startsWith("completion"))).toEqual([
      "completion⟨ 1 ⟩",
      "completion⟨ 2 ⟩",
    ]);
    expect(rendering!.addsPrefix).toBe(false);
  });

  test("llama3 trims turns", () => {
    const [rendering] = createTemplate("llama3", pieces).render(dialogue(" hi \n", "\n yo "), [1]);
    expect(rendering!.text).toBe(
      "<s><|start_header_id|>user<|end_header_id|>\n\nhi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nyo<|eot_id|>",
    );
  });

  test("plain joins prompt and completion", () => {
    const [rendering] = createTemplate("plain", pieces).render(alpaca("a", "b", "c"), "all");
    expect(showRendering(rendering!)).toEqual([
      "instruction⟨a⟩",
      "template⟨\n⟩",
      "input⟨b⟩",
      "completion⟨c⟩",
      "end⟨</s>⟩",
    ]);
  });

  test("warns of special tokens that the tokenizer does not have", () => {
    expect(createTemplate("chatml", bytes).warnings).toEqual([]);
    expect(createTemplate("chatml", pieces).warnings.join()).toContain("<|im_end|> is not a token");
  });

  test.each(["alpaca", "chatml", "llama2", "llama3", "plain"])(
    "%s: inference's prompt is training's",
    (name) => {
      const template = createTemplate(name, pieces);
      const example = alpaca("Add.", "1 and 2", "3");
      const [rendering] = template.render(example, "all");
      const prompt = template.renderPrompt(example.turns.slice(0, 1));
      expect(prompt).toEqual({ text: promptOf(rendering!), addsPrefix: rendering!.addsPrefix });
    },
  );

  test.each([
    ["all", [2, 4]],
    ["last", [4]],
    [[1], [2]],
    [[-1], [4]],
    [
      [-2, 2],
      [2, 4],
    ],
    [[3], []],
    [[-3], []],
  ] as const)("turns %j", (trained, expected) => {
    const [rendering] = createTemplate("chatml", bytes).render(talk, trained);
    expect(rendering!.targets.map((target) => target.turn)).toEqual(expected);
  });
});

describe("strings of one's own", () => {
  test("the stop token goes behind the output unless the string says where", () => {
    const [rendering] = createTemplate("Q {{x}}: {instruction}\nA: {output}\n", pieces).render(
      alpaca("q", "", "a"),
      "all",
    );
    expect(showRendering(rendering!).slice(1)).toEqual([
      "instruction⟨q⟩",
      "template⟨\nA: ⟩",
      "completion⟨a⟩",
      "end⟨</s>⟩",
      "template⟨\n⟩",
    ]);
    expect(rendering!.text).toMatch(/^Q \{x\}: q/);
    const [other] = createTemplate("{instruction}>{begin} {output}{stop:###}", pieces).render(
      alpaca("q", "", "a"),
      "all",
    );
    expect(showRendering(other!)).toEqual(["instruction⟨q⟩", "template⟨>⟩", "completion⟨ a⟩", "end⟨###⟩"]);
  });

  test("weights on parts reach the spans", () => {
    const example = conversation(turn("user", "q", 0.25), turn("assistant", "a", 2));
    const [rendering] = createTemplate({ user: "{instruction}", assistant: "{output}" }, pieces).render(
      example,
      "all",
    );
    expect(showRendering(rendering!)).toEqual(["instruction=0.25⟨q⟩", "completion=2⟨a⟩"]);
  });

  test.each([
    ["{instruction} {prompt} {output}", 'unknown placeholder "{prompt}"'],
    ["{instruction} { {output}", 'a lone "{"'],
    ["{instruction} } {output}", 'a lone "}"'],
    ["{instruction} {stop:} {output}", "unknown placeholder"],
    ["{instruction}", "lacks {output}"],
    ["{input} {output}", "lacks {instruction}"],
    ["{instruction} {instruction} {output}", "repeats {instruction}"],
    ["{begin}{instruction} {output}", "{instruction} has no meaning in the assistant string"],
    ["vicuna", "there is no such template"],
  ])("refuses %j", (source, message) => {
    expect(() => createTemplate(source, pieces)).toThrow(message);
  });

  test("refuses unknown keys, wrong kinds and options that it would ignore", () => {
    const unknown = { user: "{instruction}", assistant: "{output}", stop: "x" } as never;
    expect(() => createTemplate(unknown, pieces)).toThrow('unknown key "stop"');
    expect(() => createTemplate({ user: "{instruction}", assistant: 3 } as never, pieces)).toThrow(
      "assistant should be a string",
    );
    expect(() => createTemplate("alpaca", pieces, { variables: {} })).toThrow("takes no variables");
  });
});
