// Help, wrong usage and errors of the command line as a user or a program meets them.
import { spawnSync } from "node:child_process";
import { Command } from "commander";
import { describe, expect, test } from "vitest";
import { COMMANDS } from "../src/cli/commands.ts";
import { program } from "./command.ts";

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

test("the operands that help lists are the commands' own", async () => {
  for (const [name, { operands, load }] of Object.entries(COMMANDS)) {
    const command = (await load())(new Command(name));
    expect(command.usage(), name).toBe(operands);
    expect(command.helpInformation()).not.toMatch(/undefined|NaN/);
  }
});

describe("the command line", () => {
  test("help lists every command", () => {
    const { status, stdout } = run("--help");
    expect(status).toBe(0);
    for (const name of Object.keys(COMMANDS)) expect(stdout).toMatch(new RegExp(`^  ${name} `, "m"));
  });

  test("what is no command is wrong usage, with --help behind it too", () => {
    for (const args of [["trian"], ["trian", "--help"], ["help", "trian"]]) {
      const { status, stderr } = run(...args);
      expect([status, stderr]).toEqual([2, "error: unknown command 'trian'\n(Did you mean train?)\n"]);
    }
  });

  test("so is what is no command of a command", () => {
    for (const args of [
      ["study", "paln"],
      ["study", "paln", "--help"],
      ["--offline", "study", "paln", "-h"],
    ]) {
      const { status, stderr } = run(...args);
      expect([status, stderr]).toEqual([2, "error: unknown command 'paln'\n(Did you mean plan?)\n"]);
    }
    expect(run("study", "help", "plan").stdout).toMatch(/^Usage: promptloss study plan/);
    expect(run("study", "plan", "--help").stdout).toMatch(/^Usage: promptloss study plan/);
  });

  test("errors are JSON where the output is", () => {
    const failed = run("train", "/none.yaml", "--dry-run", "--json");
    expect([failed.status, failed.stdout, JSON.parse(failed.stderr)]).toEqual([
      1,
      "",
      { error: { name: "RecipeError", message: "/none.yaml: there is no such file" } },
    ]);
    const wrong = run("train", "--nonsense", "--json");
    expect([wrong.status, JSON.parse(wrong.stderr.trim()).error.name]).toEqual([2, "UsageError"]);
  });

  test("no default that tells nothing", () => {
    expect(run("preview", "--help").stdout).not.toMatch(/default: (\[\]|\{\})/);
  });
});
