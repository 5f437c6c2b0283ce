// The program as a user runs it.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { program, promptloss } from "./command.ts";

describe("promptloss", () => {
  it("prints its help and version", () => {
    const help = promptloss(["--help"]);
    expect(help.status).toBe(0);
    expect(help.stdout).toMatch(/^Usage: promptloss \[options\] \[command\]/);
    expect(promptloss(["--version"]).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it.each(["promptloss", "promptloss-torch"])("is linked where npx finds it: %s", (name) => {
    const link = fileURLToPath(new URL(`../../../node_modules/.bin/${name}`, import.meta.url));
    const { status, stdout, stderr } = spawnSync(link, ["--help"], { encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout.toLowerCase()).toMatch(new RegExp(`^usage: ${name} `));
  });

  it("gives wrong usage an exit code of its own", () => {
    expect(promptloss(["doctr"])).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/Did you mean doctor\?/),
    });
    expect(promptloss(["doctor", "--jsn"]).status).toBe(2);
  });

  it("ends quietly where nobody reads on", () => {
    const command = `"$0" "$1" --help | true; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = spawnSync("bash", ["-c", command, process.execPath, program], {
      encoding: "utf8",
    });
    expect([stdout, stderr]).toEqual(["0\n", ""]);
  });

  it("examines this machine", () => {
    const json = promptloss(["doctor", "--json"]);
    expect(json.stderr).toBe("");
    expect(json.status).toBe(0);
    const { ok, facts, findings } = JSON.parse(json.stdout);
    expect(ok).toBe(true);
    expect(facts.node).toBe(process.versions.node);
    expect(facts.native).toMatchObject({ works: true, version: expect.stringMatching(/^\d+\.\d+/) });
    expect(facts.native.rates.map((rate: { dtype: string }) => rate.dtype).slice(0, 2)).toEqual([
      "float32",
      "bfloat16",
    ]);
    for (const { teraflops } of facts.native.rates) expect(teraflops).toBeGreaterThan(0);
    expect(findings.every((finding: { level: string }) => finding.level === "advice")).toBe(true);

    const text = promptloss(["doctor"]);
    expect(text.status).toBe(0);
    expect(text.stdout).toMatch(/^promptloss doctor\n\n {2}Node {9}\d/);
    expect(text.stdout).toMatch(/✓ everything needed works\n$/);
  });
});
