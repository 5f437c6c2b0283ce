// generate and chat as a user runs them, on a tiny model whose gibberish is the same everywhere.
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { needs } from "../../../test/needs.ts";
import { promptloss, startPromptloss } from "./command.ts";
import { sharedPath } from "./shared.ts";
import { tinyFolder } from "./tiny-folder.ts";
import { TINY_BYTES } from "./tokenizers.ts";

const model = tinyFolder(TINY_BYTES);
function lines(text: string): unknown[] {
  return (
    text
      .trimEnd()
      .split("\n")
      // Machines differ in the last digits.
      .map((line) =>
        JSON.parse(line, (_, value: unknown) =>
          typeof value === "number" ? Number(value.toFixed(3)) : value,
        ),
      )
  );
}

describe("promptloss generate", () => {
  it("prints the answer alone, the same to an argument, a pipe and a stream", () => {
    const flags = ["--template", "plain", "--max-new-tokens", "12"];
    const argument = promptloss(["generate", model, "the dog", ...flags]);
    expect(argument).toMatchInlineSnapshot(`
      {
        "status": 0,
        "stderr": "",
        "stdout": "hergher]urram]urram]urram
      ",
      }
    `);
    expect(promptloss(["generate", model, "--stdin", ...flags], "the dog\n")).toEqual(argument);
    expect(promptloss(["generate", model, "the dog", "--stream", ...flags])).toEqual(argument);
  });

  it("prints several answers under their prompts", () => {
    const file = join(model, "..", "prompts.jsonl");
    writeFileSync(
      file,
      '{"instruction": "Say", "input": "it"}\n\n{"prompt": "the\\ndog", "output": "unread"}\n',
    );
    const { stdout, status } = promptloss(
      ["generate", model, "a", "--file", file, "--file", "-", "--max-new-tokens", "5", "--system", "be kind"],
      "from\n\nlines\n",
    );
    expect(status).toBe(0);
    expect(stdout.match(/^\d .*$/gm)).toEqual(["1 a", "2 Say", "3 the …", "4 from", "5 lines"]);
  });

  it("prints JSON lines, with log-probabilities, beams, and pieces as they come", () => {
    const json = (...args: string[]): unknown[] => {
      const { stdout, stderr, status } = promptloss(["generate", model, "the dog", "--json", ...args]);
      expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
      return lines(stdout);
    };
    const [line] = json("--max-new-tokens", "4", "--template", "plain", "--logprobs", "1") as {
      ids: number[];
      promptIds: number[];
      promptTokens: number;
      logProbabilities: { id: number }[];
    }[];
    const { ids, promptIds, ...rest } = line!;
    expect(ids).toEqual(rest.logProbabilities.map(({ id }) => id));
    expect(promptIds).toHaveLength(rest.promptTokens);
    expect([rest]).toMatchInlineSnapshot(`
      [
        {
          "finishReason": "length",
          "logProbabilities": [
            {
              "id": 319,
              "logProbability": -4.939,
              "top": [
                {
                  "id": 319,
                  "logProbability": -4.939,
                },
              ],
            },
            {
              "id": 73,
              "logProbability": -4.749,
              "top": [
                {
                  "id": 73,
                  "logProbability": -4.749,
                },
              ],
            },
            {
              "id": 319,
              "logProbability": -4.993,
              "top": [
                {
                  "id": 319,
                  "logProbability": -4.993,
                },
              ],
            },
            {
              "id": 63,
              "logProbability": -4.596,
              "top": [
                {
                  "id": 63,
                  "logProbability": -4.596,
                },
              ],
            },
          ],
          "prompt": 0,
          "promptTokens": 4,
          "sequence": 0,
          "text": "hergher]",
          "tokens": 4,
        },
      ]
    `);
    const beams = json("--beams", "3", "--sequences", "2", "--max-new-tokens", "6", "--early-stopping");
    expect(beams).toMatchObject([{ sequence: 0, finishReason: "length" }, { sequence: 1 }]);
    const streamed = json("--stream", "--max-new-tokens", "8", "--temperature", "1", "--seed", "7") as {
      type: string;
      text: string;
    }[];
    const end = streamed.at(-1)!;
    expect(end.type).toBe("end");
    expect(
      streamed
        .slice(0, -1)
        .map(({ text }) => text)
        .join(""),
    ).toBe(end.text);
    const [again] = json("--max-new-tokens", "8", "--temperature", "1", "--seed", "7") as [{ text: string }];
    expect(again.text).toBe(end.text);
  });

  it("says what is wrong", () => {
    const failure = (...args: string[]): string => {
      const { status, stderr, stdout } = promptloss(["generate", ...args]);
      expect(stdout).toBe("");
      return `${status} ${stderr}`;
    };
    expect(failure("/no/such", "hi")).toMatchInlineSnapshot(`
      "1 error: /no/such: there is no such model folder
      hint: give the folder of a Hugging Face model: config.json, model.safetensors, tokenizer.json
      "
    `);
    expect(failure(join(model, ".."), "hi").replace(join(model, ".."), "FOLDER")).toMatchInlineSnapshot(`
      "1 error: FOLDER: there is no config.json
      hint: give the folder of a Hugging Face model
      "
    `);
    expect(failure(model)).toMatchInlineSnapshot(`
      "1 error: there is no prompt
      hint: give prompts as arguments, in a file (--file) or on standard input (--stdin)
      "
    `);
    expect(failure(model, "a ".repeat(600))).toMatchInlineSnapshot(`
      "1 error: the prompt has 615 tokens, and the model reads 512, its completion included
      hint: shorten it
      "
    `);
    const rows = join(model, "..", "bad.jsonl");
    writeFileSync(rows, '{"prompt": "a"}\n{"messages": [{"role": "wizard", "content": "b"}]}\n');
    expect(failure(model, "--file", rows).replace(rows, "FILE")).toMatchInlineSnapshot(`
      "1 error: FILE, line 2: is not a prompt
      hint: give a string, { instruction, input, system }, { messages: [{ role, content }] }, { text } or { ids }
      "
    `);
    expect(failure(model, "hi", "--template", "alpacca")).toMatchInlineSnapshot(`
      "1 error: template alpacca: there is no such template
      hint: The names are alpaca, chatml, llama2, llama3, plain, tokenizer; a string of your own holds {instruction} and {output}.
      "
    `);
    expect(failure(model, "hi", "--top-p", "1.5")).toMatchInlineSnapshot(`
      "1 error: --top-p: expected a number above 0 and up to 1, got 1.5
      "
    `);
    expect(failure(model, "hi", "--beams", "2", "--temperature", "1")).toMatchInlineSnapshot(`
      "1 error: --beams: are searched, not drawn; a temperature has no place
      hint: leave out one of the two
      "
    `);
    expect(failure(model, "a", "b", "--stream")).toMatchInlineSnapshot(`
      "1 error: --stream prints one completion, and there are several
      hint: with --json, lines say which completion they belong to
      "
    `);
    expect(failure(model, "hi", "--max-new-token", "3")).toMatchInlineSnapshot(`
      "2 error: unknown option '--max-new-token'
      (Did you mean --max-new-tokens?)
      "
    `);
    expect(failure(model, "hi", "--max-new-tokens", "0")).toMatchInlineSnapshot(`
      "2 error: option '--max-new-tokens <count>' argument '0' is invalid. It should be a whole number of 1 or more.
      "
    `);
  });

  const stories = sharedPath("models", "stories15M");
  needs("shared", stories).test(`tells stories`, () => {
    const told = promptloss([
      "generate",
      stories!,
      "Once upon a time",
      "--dtype",
      "float32",
      "--stop",
      "It was the",
    ]);
    expect(told).toMatchInlineSnapshot(`
      {
        "status": 0,
        "stderr": "",
        "stdout": ", there was a little girl named Lily. She loved to play outside in the sunshine. One day, she saw a big, red ball in the sky. 
      ",
      }
    `);
  });
});

describe("promptloss chat", () => {
  it("answers lines, forgets on /reset and ends on /exit", () => {
    const { stdout, stderr, status } = promptloss(
      ["chat", model, "--max-new-tokens", "6", "--temperature", "2", "--seed", "5", "--system", "be kind"],
      "hi\n\nhi\n/reset\nhi\n/exit\nunheard\n",
    );
    expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
    const [first, second, third, ...rest] = stdout.trimEnd().split("\n");
    expect(rest).toEqual([]);
    expect(third).toBe(first);
    expect(second).not.toBe(first);
  });

  it("tells of what it can't take, and goes on", () => {
    const long = "a ".repeat(600);
    const { stdout, stderr, status } = promptloss(
      ["chat", model, "--template", "alpaca", "--max-new-tokens", "6"],
      `/foo\n${long}\nhi\n`,
    );
    expect(stderr).toMatchInlineSnapshot(`
      "! template alpaca is for one exchange: every message stands alone
      error: there is no /foo
      hint: /reset begins anew · /exit leaves · Ctrl-C stops a completion
      error: the prompt has 671 tokens, and the model reads 512, its completion included
      hint: shorten it
      "
    `);
    expect(status).toBe(1);
    expect(stdout.trimEnd().split("\n")).toHaveLength(1);
  });

  it("stops a completion, not the program, at SIGINT", async () => {
    const wide = tinyFolder(TINY_BYTES, { config: { max_position_embeddings: 100_000 } });
    const chat = startPromptloss(["chat", wide, "--max-new-tokens", "90000", "--min-new-tokens", "90000"]);
    let output = "";
    const heard = async (until: RegExp): Promise<void> => {
      while (!until.test(output)) output += String((await once(chat.stdout, "data"))[0]);
    };
    chat.stdin.write("hi\n");
    await heard(/./);
    chat.kill("SIGINT");
    await heard(/\[stopped\]\n$/);
    output = "";
    chat.stdin.write("again\n");
    await heard(/./);
    chat.kill("SIGINT");
    await heard(/\[stopped\]\n$/);
    chat.stdin.end("/exit\n");
    expect(await once(chat, "exit")).toEqual([0, null]);
  });
});
