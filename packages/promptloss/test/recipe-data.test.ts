// What a recipe says of data, as the data commands take it. They run what the last build left in dist.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { program } from "./command.ts";
import { TINY_BYTES } from "./tokenizers.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "recipe-data-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function promptloss(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [program, ...args], {
    cwd: folder,
    encoding: "utf8",
  });
}

function write(name: string, content: string | readonly unknown[]): void {
  writeFileSync(
    join(folder, name),
    typeof content === "string" ? content : content.map((row) => `${JSON.stringify(row)}\n`).join(""),
  );
}

describe("recipes and data", () => {
  describe("a chat template that rewrites history", () => {
    beforeAll(() => {
      cpSync(TINY_BYTES, join(folder, "thinker"), { recursive: true });
      const file = join(folder, "thinker/tokenizer_config.json");
      const config = JSON.parse(readFileSync(file, "utf8"));
      const strip = "{{ message.content.split('</think>')[-1] }}";
      config.chat_template = `{% for message in messages %}<|im_start|>{{ message.role }}\n{% if message.role == 'assistant' and not loop.last %}${strip}{% else %}{{ message.content }}{% endif %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}`;
      writeFileSync(file, JSON.stringify(config));
      const said = (role: string, content: string) => ({ role, content });
      write("thoughts.jsonl", [
        {
          messages: [
            said("user", "One"),
            said("assistant", "<think>hm</think>First"),
            said("user", "Two"),
            said("assistant", "<think>ha</think>Second"),
          ],
        },
      ]);
    });

    const recipe = (extra: string): string =>
      `model: thinker\ndata: thoughts.jsonl\ntemplate: tokenizer\nloss: { promptLossWeight: 0 }\n${extra}`;

    test("is refused with a remedy that the recipe takes", () => {
      write("chat.yaml", recipe(""));
      const { status, stderr } = promptloss("preview", "chat.yaml");
      expect(status).toBe(1);
      expect(stderr).toMatch(
        /thoughts\.jsonl, row 1.*the reasoning of the completion in turn 2 is not shown/,
      );
      expect(stderr).toMatch(/hint: Set rewrittenHistory: split .* or turns: last/);
    });

    test("is split into a row an answer, or trained on the last alone", () => {
      const answers = (extra: string): string[] => {
        write("chat.yaml", recipe(extra));
        const { rows } = JSON.parse(promptloss("preview", "chat.yaml", "--json").stdout);
        return rows.map(({ tokens }: { tokens: { class: string; text: string }[] }) =>
          tokens
            .filter((token) => ["completion", "reasoning"].includes(token.class))
            .map(({ text }) => text)
            .join(""),
        );
      };
      expect(answers("rewrittenHistory: split\n")).toEqual([
        "<think>hm</think>First",
        "<think>ha</think>Second",
      ]);
      expect(answers("turns: last\n")).toEqual(["<think>ha</think>Second"]);
    });

    test("is a setting of chat templates alone", () => {
      write(
        "chat.yaml",
        recipe("rewrittenHistory: split\n").replace("template: tokenizer", "template: chatml"),
      );
      const { status, stderr } = promptloss("preview", "chat.yaml");
      expect([status, stderr]).toEqual([
        1,
        expect.stringMatching(/template chatml: takes no rewrittenHistory/),
      ]);
    });
  });

  test("a recipe gives a chat template its variables", () => {
    cpSync(TINY_BYTES, join(folder, "moody"), { recursive: true });
    const file = join(folder, "moody/tokenizer_config.json");
    const config = JSON.parse(readFileSync(file, "utf8"));
    config.chat_template = `{% if mood is defined %}<|im_start|>{{ mood }}<|im_end|>{% endif %}{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}`;
    writeFileSync(file, JSON.stringify(config));
    write("words.jsonl", [{ prompt: "One", completion: "Two" }]);
    const text = (extra: string): string => {
      write(
        "moody.yaml",
        `model: moody\ndata: words.jsonl\ntemplate: tokenizer\nloss: { promptLossWeight: 0.1 }\n${extra}`,
      );
      const { rows } = JSON.parse(promptloss("preview", "moody.yaml", "--json").stdout);
      return rows[0].tokens.map((token: { text: string }) => token.text).join("");
    };
    const plain = text("");
    expect(plain).toContain("One");
    expect(text("templateVariables: { mood: glad }\n")).toBe(`<|im_start|>glad<|im_end|>${plain}`);
    write(
      "wrong.yaml",
      "model: moody\ndata: words.jsonl\ntemplate: chatml\ntemplateVariables: { mood: glad }\n",
    );
    expect(promptloss("preview", "wrong.yaml").stderr).toMatch(/template chatml: takes no variables/);
  });

  describe("columns of other names", () => {
    beforeAll(() => {
      write("questions.jsonl", [
        { question: "Name a colour.", answer: "Red" },
        { question: "Translate to French: hello, everybody", answer: "Bonjour" },
        { question: "Count to three.", answer: "One, two, three" },
      ]);
      write(
        "questions.yaml",
        `model: ${TINY_BYTES}\ntemplate: plain\ndata: { path: questions.jsonl, columns: { instruction: question, output: answer } }\n`,
      );
    });

    test("are mapped by a recipe, or by an option", () => {
      const inspect = (...args: string[]) => JSON.parse(promptloss("inspect", ...args, "--json").stdout);
      const named = ["--columns", "instruction=question,output=answer"];
      const byRecipe = inspect("questions.yaml");
      const byOption = inspect("questions.jsonl", "--tokenizer", TINY_BYTES, "--template", "plain", ...named);
      expect(byRecipe.trained.template).toBe("plain");
      expect([byRecipe.rows, byRecipe.read.skipped]).toEqual([3, 0]);
      expect(byOption).toEqual({ ...byRecipe, read: expect.anything() });
    });

    test("reach preview, recommend and invert too", () => {
      const preview = JSON.parse(
        promptloss(
          ...["preview", "questions.jsonl", "--tokenizer", TINY_BYTES, "--plw", "0", "--json"],
          ...["--columns", "instruction=question", "--columns", "output=answer"],
        ).stdout,
      );
      expect(preview.rows).toHaveLength(3);
      expect(promptloss("recommend", "questions.yaml").stdout).toMatch(/Prompt loss weight/);
      expect(promptloss("invert", "questions.yaml", "-o", "inverted.json").status).toBe(0);
      expect(JSON.parse(readFileSync(join(folder, "inverted.json"), "utf8"))[0].input).toBe("");
    });
  });

  test("a row above the recipe's limit of bytes is a bad row", () => {
    write("long.jsonl", [
      { prompt: "One", completion: "Two" },
      { prompt: "Three", completion: "four ".repeat(400) },
    ]);
    const recipe = `tokenizer: ${TINY_BYTES}\ntemplate: plain\ndata: long.jsonl\nloss: { promptLossWeight: 0 }\n`;
    write("long.yaml", `${recipe}maxRowBytes: 1000\n`);
    expect(promptloss("preview", "long.yaml").stderr).toMatch(
      /long\.jsonl, row 2: the row takes 20\d\d bytes, more than the limit of 1000\nhint: .*raise maxRowBytes/,
    );
    write("long.yaml", recipe);
    expect(promptloss("preview", "long.yaml").status).toBe(0);
  });

  test("inspect lists the sampled rows that the template refuses", () => {
    write("turns.jsonl", [
      { prompt: "One", completion: "Two" },
      { system: "Count.", prompt: "Three", completion: "Four" },
    ]);
    const { stdout, stderr } = promptloss("inspect", "turns.jsonl", "--tokenizer", TINY_BYTES, "--verbose");
    expect(stdout).toMatch(/the template alpaca refuses 1 of 2 sampled rows/);
    expect(stderr).toMatch(/^left out: turns\.jsonl, row 2: template alpaca: takes one user turn/);
  });
});
