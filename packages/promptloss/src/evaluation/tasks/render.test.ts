// What a template needs of a row: its free names, as Jinja's own syntax tree has them.
import { Template } from "@huggingface/jinja";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { render } from "./render.ts";
import { templateFields } from "./template-fields.ts";

describe("the fields of a template", () => {
  test.each([
    ["{{q}} {{ a.b }} {{- c[i] }}", ["q", "a", "c", "i"]],
    ["{% for c in choices %}{{ loop.index }}. {{ c }}{% endfor %}", ["choices"]],
    ["{% for k, v in pairs.items() %}{{ k }}{{ v }}{{ w }}{% endfor %}", ["pairs", "w"]],
    [
      "{% for c in choices if c != q %}{{ c }}{% else %}{{ none_left }}{% endfor %}",
      ["choices", "none_left"],
    ],
    ["{% set x = q | trim %}{{ x }}", ["q"]],
    ["{% set x %}{{ q }}{% endset %}{{ x }}", ["q"]],
    ["{% set ns = namespace(n=0) %}{% set ns.n = q %}{{ ns.n }}", ["q"]],
    ["{% if kind == 'a' %}{% set y = 1 %}{% endif %}{{ y }}", ["kind"]],
    ["{% macro m(a, b=d) %}{{ a }}{{ b }}{% endmacro %}{{ m(q) }}", ["q"]],
    ["{{ a if b == 1 else c }}", ["b", "a", "c"]],
    ["{{ xs | join(sep) }}{{ xs | length + 1 }}", ["xs", "sep"]],
    ["{{ {'k': v} }}{{ [u, 1] }}{{ xs[1:n] }}", ["v", "u", "xs", "n"]],
    // Fields that may be missing, as the template itself says.
    ["{{ hint | default('none') }}{% if x is defined %}{{ x }}{% endif %}", []],
    ["{% if hint and not other %}{{ hint }}{% endif %}", []],
    ["{{ loop }}", ["loop"]],
  ])("%s", (text, fields) => {
    const { needed } = templateFields(new Template(text));
    expect([...needed].sort()).toEqual([...fields].sort());
  });

  test("a name that a loop binds is no field, whatever the nesting", () => {
    const name = fc.constantFrom("a", "b", "c", "d");
    const block: fc.Arbitrary<{ text: (inner: string) => string; binds: string; reads: string }> = fc
      .tuple(name, name)
      .map(([binds, reads]) => ({
        text: (inner) => `{% for ${binds} in ${reads} %}{{ ${binds} }}${inner}{% endfor %}`,
        ...{ binds, reads },
      }));
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 4 }), (blocks) => {
        const text = blocks.reduceRight((inner, each) => each.text(inner), "");
        // The reference: a name is free where no loop further out binds it.
        const free = blocks.flatMap(({ reads }, i) =>
          blocks.slice(0, i).some(({ binds }) => binds === reads) ? [] : [reads],
        );
        expect(new Set(templateFields(new Template(text)).needed)).toEqual(new Set(free));
      }),
    );
  });
});

describe("render", () => {
  test("loops and variables", () => {
    const row = { q: "Which is warm?", choices: ["sun", "moon"] };
    const text = "{{q}}\n{% for c in choices %}{{ loop.index }}. {{ c }}\n{% endfor %}Answer:";
    expect(render(text, row)).toBe("Which is warm?\n1. sun\n2. moon\nAnswer:");
    expect(render("{% set x = q %}{{ x }}\n", row)).toBe("Which is warm?\n");
  });

  test("names a field that is missing or null, and a template that is none", () => {
    expect(() => render("{% for c in chioces %}{{ c }}{% endfor %}", { choices: [] })).toThrow(
      "there is no field chioces",
    );
    expect(() => render("{{q}}", { q: null })).toThrow("the field q is null");
    expect(() => render("{% for %}", {})).toThrow('the template "{% for %}" fails: ');
    expect(render("{% if q %}{{ q }}{% endif %}.", { q: null })).toBe(".");
  });

  test("ends a template that would go on", () => {
    for (const text of [
      "{{ range(1000000000) | length }}",
      "{% for a in b %}{% for c in b %}{% for d in b %}x{% endfor %}{% endfor %}{% endfor %}",
    ])
      expect(() => render(text, { b: Array.from({ length: 1000 }, () => 1) })).toThrow(
        /fails: .*(more than|makes a range of)/,
      );
  });
});
