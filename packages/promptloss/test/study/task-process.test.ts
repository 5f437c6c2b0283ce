// The process of a task: its answer, its errors, and that what is cut short gives none.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compiled } from "../../../../test/compiled.ts";
import { inProcess } from "../../src/study/evaluate/task-process.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "promptloss-task-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const SCORES = [{ metric: "m", value: 1, higherIsBetter: true, primary: true }];

/** @param body of a function of settings and signal */
function program(name: string, body: string): string {
  const file = join(folder, `${name}.mjs`);
  const library = pathToFileURL(compiled("packages/promptloss", "study/evaluate/task-process.js")).href;
  writeFileSync(
    file,
    `import { answerTask } from "${library}";\nawait answerTask(async (settings, signal) => {\n${body}\n});\n`,
  );
  return file;
}

function run(file: string, settings: object = {}, signal?: AbortSignal) {
  return inProcess(file, settings, { task: "quiz", hint: "retry", signal });
}

/** Waits for the signal, as an evaluation that ends after the batch at hand. */
const WAITS = `await new Promise((resolve) => {
  const timer = setTimeout(resolve, 20_000);
  signal.onabort = () => { clearTimeout(timer); resolve(); };
});`;

describe("a task's process", () => {
  test("answers with what it computes from its settings, whatever else it prints", async () => {
    const file = program("well", `console.log("noise");\nreturn settings.scores;`);
    expect(await run(file, { scores: SCORES })).toEqual(SCORES);
  });

  test("tells errors with name and hint", async () => {
    const file = program("fails", 'throw Object.assign(new TypeError("no rows"), { hint: "give some" });');
    await expect(run(file)).rejects.toMatchObject({
      message: "no rows",
      hint: "give some",
      original: "TypeError",
    });
  });

  test("says what a process that died had to say", async () => {
    const file = program("dies", 'process.stderr.write("out of luck\\n");\nprocess.exit(7);');
    await expect(run(file)).rejects.toThrow(/the evaluation of quiz ended by code 7:\nout of luck/);
  });

  test("a signal of the study's gives no scores and no error", async () => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 500);
    expect(await run(program("cut", `${WAITS}\nreturn [];`), {}, abort.signal)).toEqual([]);
  });

  test("a signal that only the process got is a failure: its scores would be no scores", async () => {
    const file = program(
      "alone",
      `setTimeout(() => process.kill(process.pid, "SIGTERM"), 100);\n${WAITS}\nreturn [];`,
    );
    await expect(run(file)).rejects.toThrow("ended by code 130");
  });
});
