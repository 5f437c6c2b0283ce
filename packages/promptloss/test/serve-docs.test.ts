// Every command and program of docs/serving.md and docs/judging.md, in their order, in a folder as the pages assume it.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { blocksOf } from "../../../test/pages.ts";
import { program } from "./command.ts";
import { judgeFolder, PREFERS_FIRST } from "./judge-model.ts";

const package_ = fileURLToPath(new URL("../", import.meta.url));

describe("examples of serving and judging", () => {
  const folder = mkdtempSync(join(tmpdir(), "promptloss-serve-docs-"));
  // Inside the package, so that its name resolves.
  const programs = mkdtempSync(join(package_, "dist/example-"));
  const servers: ChildProcess[] = [];

  beforeAll(async () => {
    const model = await judgeFolder(PREFERS_FIRST);
    for (const name of ["my-model", "judge"])
      cpSync(model, join(folder, "models", name), { recursive: true });
    const rows = (output: string) =>
      [1, 2, 3, 4]
        .map((i) => `${JSON.stringify({ instruction: `Say ${i}`, output: output.repeat(i) })}\n`)
        .join("");
    writeFileSync(join(folder, "outputs.jsonl"), rows("a"));
    writeFileSync(join(folder, "reference.jsonl"), rows("bb"));
    const bin = join(folder, "bin");
    mkdirSync(bin);
    writeFileSync(join(bin, "promptloss"), `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`);
    chmodSync(join(bin, "promptloss"), 0o755);
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.kill("SIGTERM");
      await once(server, "close");
      expect(server.exitCode).toBe(0);
    }
  });
  afterAll(() => {
    for (const path of [folder, programs]) rmSync(path, { recursive: true });
  });

  const start = (file: string, args: readonly string[]): ChildProcess =>
    spawn(file, args, {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        PATH: `${join(folder, "bin")}${delimiter}${process.env.PATH}`,
        XDG_CACHE_HOME: join(folder, "cache"),
      },
    });

  const outputOf = async (child: ChildProcess): Promise<string> => {
    const [out, err]: string[][] = [[], []];
    child.stdout!.on("data", (data: Buffer) => out!.push(data.toString()));
    child.stderr!.on("data", (data: Buffer) => err!.push(data.toString()));
    const [code] = await once(child, "close");
    expect([code, code === 0 ? "" : err!.join("")]).toEqual([0, ""]);
    return out!.join("");
  };

  /** Runs a page's blocks in order, on a free port. @returns what each but the servers printed */
  const run = async (page: string): Promise<string[]> => {
    const blocks = blocksOf(`docs/${page}`).filter(({ language }) => language === "sh" || language === "ts");
    let origin = "";
    const printed: string[] = [];
    for (const [i, { language, code }] of blocks.entries()) {
      const here = code.replaceAll("http://127.0.0.1:8000", origin);
      if (language === "ts") {
        const file = join(programs, `${page}-${i}.mjs`);
        writeFileSync(file, here);
        printed.push(await outputOf(start(process.execPath, [file])));
      } else if (code.startsWith("promptloss serve")) {
        // exec: the signal is the program's, not the shell's.
        const server = start("sh", ["-c", `exec ${code.replace("8000", "0")}`]);
        servers.push(server);
        const [line] = await once(createInterface({ input: server.stdout! }), "line");
        origin = new URL(/http\S+/.exec(line)![0]).origin;
      } else printed.push(await outputOf(start("sh", ["-c", here])));
    }
    return printed;
  };

  test("docs/serving.md", async () => {
    const [curl, client, job, library] = await run("serving.md");
    expect(JSON.parse(curl!)).toMatchObject({ object: "chat.completion", model: "my-model" });
    expect(client).toMatch(/ \d+\n/);
    expect(job).toBe("succeeded my-model\n");
    expect(library).toMatch(/^200 .*"id":"my-model"/);
  });

  test("docs/judging.md", async () => {
    const [table, json, library] = await run("judging.md");
    const shown = blocksOf("docs/judging.md").find(({ language }) => language === "text")!;
    const shape = (text: string): string => text.replaceAll(/[\d.]+/g, "N");
    expect(shape(table!)).toBe(shape(shown.code));
    expect(JSON.parse(json!)).toMatchObject({ protocol: "alpaca-eval", n: 4, unreadable: 0 });
    expect(readFileSync(join(folder, "verdicts.jsonl"), "utf8").trimEnd().split("\n")).toHaveLength(4);
    expect(library).toMatch(/^\d+\.0 ± \d+\.\d over 4\n$/);
  });
});
