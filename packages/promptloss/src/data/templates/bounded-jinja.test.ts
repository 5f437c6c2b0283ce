import { Template } from "@huggingface/jinja";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BoundedJinja, JINJA_LIMITS, JinjaLimitError } from "./bounded-jinja.ts";
import { ChatTemplate } from "./chat-template.ts";

function messages(length: number): { role: string; content: string }[] {
  return Array.from({ length }, (_, i) => ({
    role: i % 2 === 0 ? "user" : "assistant",
    content: `message ${i}`,
  }));
}

const sources = [
  "{% for message in messages if message.role == 'user' %}{{ loop.index }}{{ message.content }}\n{% endfor %}",
  "{% for i in range(3) %}{% for j in range(2, 8, 3) %}{{ i * j }},{% endfor %}{% else %}none{% endfor %}",
  "{% for i in range(5, 0, -2) %}{{ i }}{% endfor %}{{ range(0) | length }}{{ range(2, 1) | length }}",
  "{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + m.content | length %}{% endfor %}{{ ns.n }}",
  "{%- macro turn(m) %}<{{ m.role }}>{{ m.content | trim }}{% endmacro -%}{{ turn(messages[0]) }} {{ True }}{{ none }}",
  "{{ messages | map(attribute='role') | join(', ') }}{{ 'user' in messages[0].role }}{{ strftime_now('%Y') }}",
];

describe("rendering", () => {
  test.each(sources)("is the library's own: %s", (source) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), (length) => {
        const variables = { messages: messages(length) };
        expect(new BoundedJinja(source).render(variables)).toBe(new Template(source).render(variables));
      }),
    );
  });

  test("of a thousand messages that looks at all of them for each takes a quarter of the steps that it may", () => {
    const source =
      "{% for m in messages %}{% if m.content in messages | map(attribute='content') | list %}{{ m.role + '\n' + m.content | trim }}{% endif %}{% endfor %}";
    const jinja = new BoundedJinja(source);
    jinja.render({ messages: messages(1000) });
    expect(jinja.steps).toBeLessThan(JINJA_LIMITS.steps / 4);
  });
});

function NESTED(body: string): string {
  return `{% for a in range(1000) %}{% for b in range(1000) %}{% for c in range(1000) %}${body}{% endfor %}{% endfor %}{% endfor %}`;
}

/** What would take for ever, or all memory. */
const hostile: [what: string, source: string, message: RegExp][] = [
  ["a long range", "{% for i in range(1000000000) %}x{% endfor %}", /a range of 1,000,000,000 numbers/],
  ["a range down", "{{ range(0, -1000000000, -1) | length }}", /a range of 1,000,000,000 numbers/],
  ["a range without end", "{{ range(0, 10 ** 300) | length }}", /a range of/],
  ["nested loops", NESTED("x"), /more than 50,000 steps/],
  ["nested loops over nothing", NESTED(""), /more than 50,000 steps/],
  [
    "a loop over a list that was made before",
    "{% set r = range(40000) %}{% for a in r %}{% for b in r %}{% endfor %}{% endfor %}",
    /steps/,
  ],
  [
    "filters over a long list",
    "{% set r = range(40000) %}{% for a in r %}{{ r | last }}{% endfor %}",
    /steps/,
  ],
  ["looking in a long list", "{% set r = range(40000) %}{% for a in r %}{{ -1 in r }}{% endfor %}", /steps/],
  [
    "doubling a text",
    "{% set ns = namespace(s='x') %}{% for i in range(90) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
    /a text of more than 65,536 characters|steps/,
  ],
  [
    "adding a text to itself",
    "{% set ns = namespace(s='x') %}{% for i in range(90) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
    /a text of more than 65,536 characters|steps/,
  ],
  [
    "doubling a list",
    "{% set ns = namespace(s=[0]) %}{% for i in range(90) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
    /a list of more than 50,000 items|steps/,
  ],
  ["a macro that calls itself", "{% macro f(g) %}{{ g(g) }}{% endmacro %}{{ f(f) }}", /calls itself|steps/],
  [
    "a macro that calls itself twice",
    "{% macro f(g, n) %}{% if n > 0 %}{{ g(g, n - 1) }}{{ g(g, n - 1) }}{% endif %}{% endmacro %}{{ f(f, 60) }}",
    /steps/,
  ],
  ["brackets", `{{ ${"[".repeat(20_000)}${"]".repeat(20_000)} }}`, /stack|deep/],
];

describe("a template that would not end", () => {
  const limits = { steps: 50_000, characters: 65_536, items: 50_000 };

  test.each(hostile)("is stopped: %s", (_, source, message) => {
    let jinja: BoundedJinja | undefined;
    const render = (): string => {
      jinja = new BoundedJinja(source, limits);
      return jinja.render({});
    };
    expect(render).toThrow(message);
    // The last step may be the one that is too much: the loop over a list of the most items.
    expect(jinja?.steps ?? 0).toBeLessThanOrEqual(limits.steps + 4 * limits.items);
  });

  test.each(hostile.slice(0, 3))("is an error of the tokenizer's chat template: %s", (_, source) => {
    const make = (): ChatTemplate =>
      new ChatTemplate({
        path: "models/hostile",
        chatTemplateNames: [],
        prefixIds: Int32Array.of(),
        chatTemplate: source,
        special: { bos: "<s>", eos: "</s>", pad: undefined, unk: undefined },
        specialTexts: [],
      });
    expect(make).toThrow(/template tokenizer: the chat template of models\/hostile (makes|takes) /);
  });

  test("keeps being an error where it is met inside a row", () => {
    const jinja = new BoundedJinja("{% for i in range(n) %}{% endfor %}", limits);
    expect(jinja.render({ n: 10 })).toBe("");
    expect(() => jinja.render({ n: 1e9 })).toThrow(JinjaLimitError);
  });
});
