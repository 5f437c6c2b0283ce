// `promptloss evaluate` and `promptloss compare` as a user runs them, on a task of its own.
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { needs } from "../../../test/needs.ts";
import { promptloss } from "./command.ts";
import { sharedPath } from "./shared.ts";

const model = sharedPath("models", "stories260K");
const folder = mkdtempSync(join(tmpdir(), "evaluate-"));
afterAll(() => rmSync(folder, { recursive: true }));

function at(name: string): string {
  return join(folder, name);
}
function linesOf(name: string): string[] {
  return readFileSync(at(name), "utf8").trimEnd().split("\n");
}

writeFileSync(
  at("rows.jsonl"),
  ["cat", "dog", "bird", "frog", "lion", "bear"]
    .map((animal, i) => JSON.stringify({ animal, ends: [" day.", " park."], right: i % 2 }))
    .join("\n"),
);
writeFileSync(
  at("ends.yaml"),
  `task: ends
kind: multiple-choice
data: {test: rows.jsonl}
context: "Once there was a {{animal}}. It liked to play all"
choices: ends
gold: "{{right}}"
delimiter: ""
metrics: [acc, acc_norm]
`,
);
writeFileSync(
  at("tells.yaml"),
  `task: tells
kind: generation
data: {test: rows.jsonl}
context: "Once there was a {{animal}}."
reference: "It liked to play."
until: ["."]
maxNewTokens: 12
metrics: [chrf, f1, exact_match]
`,
);
writeFileSync(at("absent.yaml"), readFileSync(at("ends.yaml"), "utf8").replace("rows.jsonl", "none.jsonl"));
writeFileSync(at("wrong.yaml"), "task: wrong\nkind: multiple-choice\ndata: {test: a}\nmetrcs: [acc]\n");

function evaluate(tasks: string, ...rest: string[]) {
  return promptloss(["evaluate", model!, "--tasks", tasks, "--task-data", folder, ...rest]);
}

needs("shared", model).describe("evaluate", () => {
  test("scores, records, and a table", { timeout: 120_000 }, () => {
    const { status, stdout, stderr } = evaluate(`${at("ends.yaml")},${at("tells.yaml")}`, "-o", at("out"));
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(/^task +metric +score +± s\.e\./);
    expect(stdout).toMatch(/\ntells {2}chrf ↑ +\d/);
    const scores = linesOf("out/scores.jsonl").map((line) => JSON.parse(line));
    expect(scores.map(({ task, metric, n, primary }) => [task, metric, n, primary])).toEqual([
      ["ends", "acc", 6, true],
      ["ends", "acc_norm", 6, false],
      ["tells", "chrf", 6, true],
      ["tells", "f1", 6, false],
      ["tells", "exact_match", 6, false],
    ]);
    const records = linesOf("out/records/ends.jsonl").map((line) => JSON.parse(line));
    expect(records.map(({ item }) => item)).toEqual([0, 1, 2, 3, 4, 5]);
    const right = records.filter(({ metrics }) => metrics.acc === 1).length;
    expect(scores[0].value).toBe(right / 6);
  });

  test("records hold what the model read", () => {
    const [ends] = linesOf("out/records/ends.jsonl").map((line) => JSON.parse(line));
    expect(ends).toMatchObject({
      prompts: ["Once there was a cat. It liked to play all"],
      continuations: [" day.", " park."],
    });
    expect(ends.promptIds).toHaveLength(1);
    // BOS, which the tokenizer puts before a text.
    expect(ends.promptIds[0][0]).toBe(1);
    expect(ends.continuationIds).toHaveLength(2);
    const [tells] = linesOf("out/records/tells.jsonl").map((line) => JSON.parse(line));
    expect(tells.prompts).toEqual(["Once there was a cat."]);
    expect(tells.promptIds[0][0]).toBe(1);
    expect(tells.completionIds.length).toBeGreaterThan(0);
    expect(tells.completionIds.length).toBeLessThanOrEqual(12);
  });

  test("--write-out shows what the model reads, cut where it is cut", { timeout: 120_000 }, () => {
    const shown = evaluate(at("ends.yaml"), "--write-out", "--max-length", "12");
    expect(shown.status).toBe(0);
    expect(shown.stdout).toMatch(
      /^ends, item 0\nprompt \d+ tokens, cut from the left to what is read\nOnce there was a cat. It liked to play all\nscored \d tokens {2}" day\."\nscored \d tokens {2}" park\."\n\ntask/,
    );
    const { stdout } = evaluate(at("ends.yaml"), "--write-out", "2", "--max-length", "12", "--json");
    const { prompts, scores } = JSON.parse(stdout);
    expect(prompts.map(({ item, truncated }: Record<string, unknown>) => [item, truncated])).toEqual([
      [0, true],
      [1, true],
    ]);
    const { promptIds, continuationIds } = prompts[0].request;
    // 12 tokens go in; the last of a continuation is only predicted.
    continuationIds.forEach((ids: number[], i: number) => {
      expect((promptIds[i] ?? promptIds[0]).length + ids.length).toBe(13);
    });
    expect(scores[0].settings).toMatchObject({ maxLength: 12, truncated: 6 });
  });

  test("lengths and examples that would have no effect are refused", () => {
    const long = evaluate(at("ends.yaml"), "--max-length", "4096");
    expect(long.stderr).toBe(
      "error: maxLength: 4096 tokens, and the model reads 512\nhint: give 512 or less\n",
    );
    const none = evaluate(at("ends.yaml"), "--examples", "first");
    expect(none.stderr).toBe("error: examples: none of the tasks has any\nhint: give a number of shots\n");
  });

  test("goes on where it was cut short, with the same result", { timeout: 120_000 }, () => {
    const whole = linesOf("out/records/ends.jsonl");
    // As a process leaves it that is killed while it writes its fourth record.
    writeFileSync(at("out/records/ends.jsonl"), `${whole.slice(0, 3).join("\n")}\n`);
    appendFileSync(at("out/records/ends.jsonl"), whole[3]!.slice(0, 20));
    const { status, stderr } = evaluate(at("ends.yaml"), "-o", at("out"));
    expect({ status, stderr }).toEqual({ status: 0, stderr: "ends: 3 of 6 items done already\n" });
    const again = linesOf("out/records/ends.jsonl").map((line) => JSON.parse(line));
    expect(again.map(({ metrics }) => metrics)).toEqual(whole.map((line) => JSON.parse(line).metrics));
    const others = evaluate(at("ends.yaml"), "-o", at("out"), "--dtype", "bfloat16");
    expect(others.status).toBe(1);
    expect(others.stderr).toMatch(/ends\.jsonl: the records are of another model, task or setting/);
  });

  test("a task that can't be run leaves the others and an exit code", { timeout: 120_000 }, () => {
    const { status, stdout } = evaluate(`${at("absent.yaml")},${at("tells.yaml")}`, "--json", "--limit", "2");
    expect(status).toBe(1);
    const { scores, failures } = JSON.parse(stdout);
    expect(scores.map(({ n }: { n: number }) => n)).toEqual([2, 2, 2]);
    expect(failures).toMatchObject([
      { task: "ends", message: expect.stringMatching(/none\.jsonl: ends has its test rows/) },
    ]);
  });

  test("names and files that are no tasks", () => {
    expect(evaluate("arc_esy").stderr).toBe("error: there is no task arc_esy\nhint: is it arc_easy?\n");
    const { status, stderr } = evaluate(at("wrong.yaml"));
    expect(status).toBe(1);
    expect(stderr).toMatch(/wrong\.yaml:4: metrcs: there is no such key; did you mean metrics\?/);
    expect(stderr).toMatch(/wrong\.yaml: context: is missing/);
  });

  test("compare", { timeout: 120_000 }, () => {
    evaluate(`${at("ends.yaml")},${at("tells.yaml")}`, "-o", at("narrow"), "--dtype", "bfloat16");
    const { status, stdout } = promptloss([
      "compare",
      at("out"),
      at("narrow"),
      "--json",
      "--resamples",
      "200",
    ]);
    expect(status).toBe(0);
    const found = JSON.parse(stdout);
    expect(found.map(({ task, metric }: Record<string, string>) => `${task} ${metric}`)).toEqual([
      "ends acc",
      "ends acc_norm",
      "tells chrf",
      "tells f1",
      "tells exact_match",
    ]);
    for (const { a, b, difference, interval, test: tested } of found) {
      expect(difference).toBe(b - a);
      expect(interval[0]).toBeLessThanOrEqual(interval[1]);
      expect(tested.p).toBeGreaterThan(0);
    }
    evaluate(at("ends.yaml"), "-o", at("short"), "--limit", "4");
    const short = promptloss(["compare", at("out"), at("short")]);
    expect(short.status).toBe(1);
    expect(short.stderr).toMatch(/ends: 6 items in one evaluation, 4 in the other/);
  });
});
