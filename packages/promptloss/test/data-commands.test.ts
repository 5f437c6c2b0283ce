// inspect, preview and invert as a user runs them, on a small file. They take what the last build left in dist.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { program } from "./command.ts";
import { TINY_PIECES } from "./tokenizers.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "commands-"));
  writeFileSync(
    join(folder, "rows.json"),
    JSON.stringify([
      { instruction: "Name a colour.", input: "", output: "Red" },
      { instruction: "Name a colour.", input: "", output: "Red" },
      { instruction: "Translate to French.", input: "Hello", output: "Bonjour, tout le monde" },
      { instruction: "Say nothing.", input: "", output: "" },
      { instruction: "This row is broken.", output: 5 },
    ]),
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

function promptloss(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [program, ...args], {
    cwd: folder,
    encoding: "utf8",
  });
}

const tokenizer = ["--tokenizer", TINY_PIECES];

describe("commands over data", () => {
  test("inspect prints lengths, ratios, shares, warnings and a recommendation", () => {
    const { status, stdout, stderr } = promptloss("inspect", "rows.json", ...tokenizer);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatchInlineSnapshot(`
      "promptloss inspect  rows.json

        3 rows, tokenizer tiny-pieces, template alpaca

        Prompt loss weight  0.242
        Expected regret     0.24 of the gap between best and worst
        Best of those below 8.6 %
        Alike               0.05, 0.1, 0.15, 0.242, 0.35, 0.5, 0.7 (at most 0.1 of the gap between best and worst worse on average)
        One more run        not known without runs of your own, which tell the noise
        For                 Rg 0.636, all tasks, weight-sum
        Prompt's share      28 % of the token weight; as much is PLW 0.38 in segment-mean, 0.276 in loss-share
        Rests on            a prior from the paper's facts alone: no run on this data

        tokens         mean     sd  min  5 %  50 %  95 %  99 %  max
        instruction    9.67   2.89    8    8     8    13    13   13  █    ▆
        input          1.33   2.31    0    0     0     4     4    4  █   ▆
        completion     7.00   6.93    3    3     3    14    15   15  █           ▆
        whole row *  101.00  32.91   82   82    82   133   138  139  █             ▆
        * with template and stop token, on 3 rows drawn at random

        Rg, ratio of mean lengths     0.64  completion / (instruction + input): the paper's
        Rg, mean of the rows' ratios  0.54
        Rg, as trained *              0.07  (completion + stop) / (prompt + template)

        share of the loss at PLW *     0  0.01   0.05    0.1  0.2463    0.5       1
        prompt                       0 %  12 %   40 %   57 %    77 %   87 %    93 %
        content (completion text)   86 %  76 %   51 %   37 %    20 %   11 %   5.9 %
        end (stop token)            14 %  13 %  8.5 %  6.1 %   3.3 %  1.9 %  0.99 %

        maximum length          256
        rows that are longer *  0 %

        completions end in  </s> (3 *, trained)
        duplicates  1 row, 1 prompt

        ! 1 bad row was left out: 1 wrong-type (--verbose lists them)
        ! 1 row with an empty completion was left out
        ! 1 row repeat an earlier row to the letter (33.3 %)

        PLW      expected regret  probability of being best
        0                    0.8                        7 %
        0.001               0.56                      3.7 %
        0.005               0.46                      3.6 %
        0.01                0.41                      2.8 %
        0.02                0.36                      5.9 %
        0.05                0.29                      8.2 %
        0.1                 0.25                      8.6 %
        0.15                0.24                      9.4 %
        0.242 *             0.24                      8.6 %
        0.35                0.25                      7.5 %
        0.5                 0.28                      7.6 %
        0.7                 0.34                      7.8 %
        1                   0.41                       19 %

        Known
          [the paper, verified] on short-completion data (AlpacaDataShort, Rg 0.08, LLaMA 7B) scores follow a downward quadratic in w_p (p < 0.001) that is highest at PLW 0.242
          [the paper, verified] a small PLW, 0.01 to 0.5, is best for multiple choice and short generation, with gains under 2 points
          [the paper, verified] on long-completion data the relation is not significant: p = 0.237 on AlpacaData (Rg 3.27), p = 0.0861, with convergence warnings, on AlpacaDataCleaned (Rg 7.83)
          [the paper, verified] the best PLW for Rg between 0.5 and 2 is a question that the paper leaves open
          [a follow-up paper] WIT (arXiv 2507.07817) finds the best prompt weight between 0 and 0.5 over 525 runs
          [our choice, not the paper's] whether the weight or the prompt's share of the loss carries over to another Rg is not known; the prior gives them 3 to 1: our choice; the paper's exact setting was not available to us
          [our choice, not the paper's] the prior's width, which grows with |log(Rg / 0.08)|, with another normalization and another model size, and its shares of flat and of rising courses: our choice; the paper's exact setting was not available to us
          [derived from the paper's figures] where all tokens have one divisor, PLW 0.242 gives the prompt 75 % of the token weight at Rg 0.08 and 28 % at Rg 0.636; in weight-sum at Rg 0.636 that weight is 0.242, and a share of 75 % is PLW 1.92, more than any weight from 0 to 1 (template tokens not counted)
        Not known
          how the best weight moves between the paper's ratios, 0.08, 3.27 and 7.83
          a best weight for data with longer completions than prompts: the paper's two such data sets show no significant relation
          the best weight for models of other sizes and families
          how the best weight moves with the learning rate; promptloss tune measures it
          whether any of it holds for this data: promptloss tune tries a few weights on it
      "
    `);
  });

  test("inspect writes JSON and a page that stands by itself", () => {
    const { stdout } = promptloss("inspect", "rows.json", ...tokenizer, "--json", "--html", "page.html");
    const { rows, read, duplicates } = JSON.parse(stdout);
    expect([rows, read.skipped, duplicates]).toEqual([3, 2, { rows: 1, prompts: 1 }]);
    const page = readFileSync(join(folder, "page.html"), "utf8");
    expect(page).toMatch(/^<!doctype html>/);
    expect(page).not.toMatch(/<script|https?:|url\(/);
  });

  test("inspect lists what it left out on request", () => {
    expect(promptloss("inspect", "rows.json", ...tokenizer, "--verbose").stderr).toMatch(
      /rows\.json, row 5.*output/,
    );
  });

  test("preview shows the rows asked for", () => {
    const { status, stdout } = promptloss(
      "preview",
      "rows.json",
      ...tokenizer,
      "--rows",
      "3",
      "--plw",
      "0.1",
    );
    expect(status).toBe(0);
    expect(stdout).toMatchInlineSnapshot(`
      "| stands between tokens, ⏎ for a line break, ✂ before what is cut

      rows.json, row 3  139 tokens
      0.1  template     |<s>| |B|e|lo|w| is| an| in|st|ru|ction| that| d|es|cri|b|es| a| t|as|k|,| |p|a|i|re|d| w|it|h| an| in|pu|t| that| |p|r|o|v|id|es| f|ur|t|her| c|on|te|x|t|.| W|ri|te| a| |r|es|pon|s|e| that| a|p|p|r|o|p|ri|at|el|y| c|o|m|p|le|t|es| the| |re|qu|es|t|.⏎⏎|###| In|st|ru|ction|:|⏎|
      0.1  instruction  |Tran|s|lat|e| to| |F|r|en|c|h|
      0.1  template     |.⏎⏎|###| In|pu|t|:|⏎H|
      0.1  input        |el|lo|
      0.1  template     |⏎|⏎|###| |Res|pon|s|e:|
        1  completion   |B|on|j|o|ur,| to|u|t| l|e| m|on|d|e|
        1  end          |</s>|
        class        tokens  trained  weight  of all weight
        instruction      11       11     1.1          4.0 %
        input             2        2     0.2          0.7 %
        template        111      110      11         40.3 %
        completion       14       14      14         51.3 %
        end               1        1       1          3.7 %
      "
    `);
  });

  test("preview takes a recipe, and the flags over it", () => {
    writeFileSync(
      join(folder, "recipe.yaml"),
      `tokenizer: ${TINY_PIECES}\ndata: { path: rows.json }\nonBadRow: skip\ntemplate: plain\nloss: { promptLossWeight: 0.5 }\n`,
    );
    const { weights, rows } = JSON.parse(
      promptloss("preview", "recipe.yaml", "--json", "--rows", "1-2").stdout,
    );
    expect([weights, rows.length]).toEqual([{ promptLossWeight: 0.5 }, 2]);
    const over = JSON.parse(promptloss("preview", "recipe.yaml", "--json", "--plw", "0").stdout);
    expect(over.weights).toEqual({ promptLossWeight: 0 });
  });

  test("invert writes the rows and a report beside them", () => {
    const { status, stdout } = promptloss("invert", "rows.json", ...tokenizer, "-o", "out.json", "--all");
    expect(status).toBe(0);
    expect(stdout).toMatch(/3 of 3 rows inverted\n/);
    expect(JSON.parse(readFileSync(join(folder, "out.json"), "utf8"))[2]).toEqual({
      instruction: "Predict the prompt that generated the following AI output.",
      input: "Bonjour, tout le monde",
      output: "Translate to French.\n\nHello",
    });
    expect(JSON.parse(readFileSync(join(folder, "out.report.json"), "utf8"))).toMatchObject({
      rows: 3,
      inverted: 3,
      skipped: 2,
    });
  });

  test.each([
    [["inspect", "none.json", ...tokenizer], 1, /none\.json/],
    [["inspect", "rows.json"], 1, /rows\.json is data, so --tokenizer has to name a tokenizer\nhint: /],
    [["inspect", "recipe.yaml", "--format", "text"], 1, /names its data, their format and how they are read/],
    [["inspect", "rows.json", "recipe.yaml"], 1, /hint: give the recipe alone/],
    [["inspect", "rows.json", ...tokenizer, "--columns", "instruction"], 2, /fields and columns, as/],
    [["inspect", "rows.json", ...tokenizer, "--columns", "output=answer"], 1, /"answer": no such column/],
    [["preview", "rows.json"], 1, /--tokenizer has to name a tokenizer\nhint: /],
    [["preview", "rows.json", ...tokenizer, "--plw", "-1"], 2, /number of 0 or more/],
    [["preview", "rows.json", ...tokenizer, "--rows", "9"], 1, /there is no row 9|row 5/],
    [["preview", "rows.json", ...tokenizer, "--overflow", "drop", "--plw", "1"], 1, /there is no maxLength/],
    [["invert", "rows.json", ...tokenizer, "-o", "x.json", "--target-ratio", "99"], 1, /not to 99/],
    [["invert", "rows.json", ...tokenizer, "-o", "x.json", "--by", "sampling"], 2, /needs --target-ratio/],
    [
      ["invert", "rows.json", ...tokenizer, ..."-o x.json --by sampling --target-ratio 1 --all".split(" ")],
      2,
      /inverts nothing, so --all has no use/,
    ],
  ])("%j fails with %i and says why", (args, code, message) => {
    const { status, stderr } = promptloss(...args);
    expect(stderr).toMatch(message);
    expect(status).toBe(code);
  });
});
