// Chat templates that are written into trained models, as others render them: test/python/chat_template_goldens.py holds
// them to transformers. The prompts must be those of training to the token.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { conversation, turn } from "../../../test/examples.ts";
import { TINY_BYTES, TINY_PIECES } from "../../../test/tokenizers.ts";
import type { Role } from "../example.ts";
import { loadTokenizer } from "../tokenizer/index.ts";
import { encodePrompt, savedTemplate } from "../tokens/index.ts";
import { BoundedJinja } from "./bounded-jinja.ts";
import { createTemplate, type Template, TemplateError, type TemplateSpec } from "./index.ts";

interface Golden {
  tokenizer: "tiny-pieces" | "tiny-bytes";
  name: string;
  template: TemplateSpec;
  jinja: string;
  chats: { messages: { role: Role; content: string }[]; text?: string; ids?: number[]; error?: string }[];
}

const goldens = JSON.parse(
  readFileSync(new URL("../../../test/goldens/chat-templates.json", import.meta.url), "utf8"),
) as Golden[];
const tokenizers = {
  "tiny-pieces": await loadTokenizer(TINY_PIECES),
  "tiny-bytes": await loadTokenizer(TINY_BYTES),
};

/** As training has it, with the prefix that the tokenizer puts before it written out. */
function trained(template: Template, prefix: string, messages: Golden["chats"][number]["messages"]): string {
  const turns = messages.map(({ role, content }) => turn(role, content));
  if (messages.at(-1)!.role === "user") {
    const { text, addsPrefix } = template.renderPrompt(turns);
    return (addsPrefix ? prefix : "") + text;
  }
  const [rendering] = template.render(conversation(...turns), "last");
  const { text, addsPrefix } = rendering!;
  return (addsPrefix ? prefix : "") + text;
}

describe.each(goldens)("$name on $tokenizer", ({ tokenizer: name, template: spec, jinja, chats }) => {
  const tokenizer = tokenizers[name];
  const template = createTemplate(spec, tokenizer);
  const prefix = [...tokenizer.prefixIds].map((id) => tokenizer.tokenOf(id)).join("");

  test("the Jinja is the one that transformers rendered", async () => {
    expect(await savedTemplate(template, tokenizer)).toEqual({ jinja, exact: true });
  });

  test.each(chats)("$messages", async ({ messages, text, ids, error }) => {
    if (error !== undefined) {
      expect(() => trained(template, prefix, messages)).toThrow(TemplateError);
      return;
    }
    // Behind BOS in a text tiny-pieces puts no space of its own, as it does before a text: the template then writes it.
    expect([prefix, `${prefix} `].map((each) => trained(template, each, messages))).toContain(text);
    if (messages.at(-1)!.role !== "user") return;
    const prompt = template.renderPrompt(messages.map(({ role, content }) => turn(role, content)));
    // It puts none before a text that has one.
    if (!prompt.text.startsWith(" ")) expect(ids).toEqual([...(await encodePrompt(tokenizer, prompt))]);
  });

  test("any chat", () => {
    const rendered = new BoundedJinja(template.jinja(prefix));
    const message = fc.record({
      role: fc.constantFrom<Role>("user", "assistant", "system"),
      content: fc.string({ unit: "grapheme" }),
    });
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 5 }), (drawn) => {
        const messages =
          drawn.at(-1)!.role === "system" ? [...drawn, { role: "user" as const, content: "?" }] : drawn;
        const variables = { messages, add_generation_prompt: messages.at(-1)!.role === "user" };
        let expected: string | undefined;
        try {
          expected = trained(template, prefix, messages);
        } catch (error) {
          expect(error).toBeInstanceOf(TemplateError);
        }
        if (expected === undefined) expect(() => rendered.render(variables)).toThrow();
        else expect(rendered.render(variables)).toBe(expected);
      }),
    );
  });
});

describe("the model's own chat template", () => {
  test("goes along as it is, with the variables that were trained with where nobody gives others", () => {
    const tokenizer = tokenizers["tiny-bytes"];
    expect(createTemplate("tokenizer", tokenizer).jinja("")).toBe(tokenizer.chatTemplate);
    const source = "\n  {% if think %}T{% endif %}{{ note }}{{ list[1].a }}{{ messages[0].content }}";
    const own = Object.assign(Object.create(tokenizer), {
      chatTemplate: source,
      tokenOf: (id: number) => tokenizer.tokenOf(id),
    });
    const variables = { think: true, note: "it's\\n", list: [null, { a: 2 }] };
    const jinja = createTemplate("tokenizer", own, { variables }).jinja("");
    const messages = [{ role: "user", content: "C" }];
    const given = new BoundedJinja(source).render({ ...variables, messages });
    expect(given).toBe("\nTit's\\n2C");
    expect(new BoundedJinja(jinja).render({ messages })).toBe(given);
    expect(new BoundedJinja(jinja).render({ messages, think: false })).toBe("\nit's\\n2C");
  });
});
