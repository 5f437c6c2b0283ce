// The commands that pages, recipes and the table of features show: each is one that its program takes as it stands.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, CommanderError } from "commander";
import { expect, test } from "vitest";
import { blocksOf, pages, proseOf } from "../../../../test/pages.ts";
import { testFiles } from "../../../../test/projects.ts";
import { COMMANDS } from "../../src/cli/commands.ts";

const root = fileURLToPath(new URL("../../../../", import.meta.url));

interface Shown {
  readonly where: string;
  readonly line: string;
  /** A line to be run, rather than a mention in a sentence, which may leave operands out. */
  readonly isWhole: boolean;
}

function fromBlocks(page: string): Shown[] {
  return blocksOf(page).flatMap(({ line, language, code }) => {
    if (!["sh", "console", ""].includes(language)) return [];
    const lines = code.replaceAll(/\\\n/g, " ").split("\n");
    return lines.flatMap((text, i) => {
      const isShown = language === "sh" || text.startsWith("$ ");
      return isShown ? [{ where: `${page}:${line + i}`, line: text.replace(/^\$ /, ""), isWhole: true }] : [];
    });
  });
}

/** Of the text between backticks. */
function fromSentences(page: string): Shown[] {
  return proseOf(page)
    .split("\n")
    .flatMap((text, i) =>
      [...text.matchAll(/(`+)(.+?)\1/g)].map(([, , code]) => ({
        ...{ where: `${page}:${i + 1}`, line: code!.replaceAll("\\|", "|"), isWhole: false },
      })),
    );
}

function fromRecipes(): Shown[] {
  return readdirSync(join(root, "recipes"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".yaml"))
    .flatMap((name) =>
      readFileSync(join(root, "recipes", name), "utf8")
        .split("\n")
        .flatMap((text, i) => {
          const line = /^# +((?:npx )?promptloss .+)/.exec(text)?.[1];
          return line === undefined ? [] : [{ where: `recipes/${name}:${i + 1}`, line, isWhole: true }];
        }),
    );
}

const shown = [...pages().flatMap((page) => [...fromBlocks(page), ...fromSentences(page)]), ...fromRecipes()];

/** The words of a shell's line, up to what ends a command. */
function wordsOf(line: string): string[] {
  const words = [...line.matchAll(/(?:"([^"]*)"|'([^']*)'|[^\s"'])+/g)].map(([word]) => word);
  const end = words.findIndex((word) => /^(#.*|[|;&>]+|…)$/.test(word));
  return words.slice(0, end < 0 ? undefined : end).map((word) => word.replaceAll(/["']/g, ""));
}

/** The arguments behind a program's name in a line, if it is there. */
function argumentsTo(name: readonly string[], line: string): string[] | undefined {
  const words = wordsOf(line.replaceAll(/<\((.*)\)/g, "$1"));
  const at = words.findIndex((_, i) => name.every((each, k) => words[i + k] === each));
  return at < 0 ? undefined : words.slice(at + name.length);
}

/** What the command line says against arguments; nothing runs. */
async function refusalOf(args: readonly string[], isWhole: boolean): Promise<string | undefined> {
  const program = new Command("promptloss").option("--offline").helpOption(true).version("0");
  for (const [name, { load }] of Object.entries(COMMANDS))
    program.addCommand((await load())(new Command(name)));
  const all = [program, ...program.commands.flatMap((each) => [each, ...each.commands])];
  for (const each of all) {
    each.exitOverride().configureOutput({ writeOut: () => {}, writeErr: () => {} });
    if (each !== program && each.commands.length === 0) each.action(() => {});
  }
  try {
    await program.parseAsync(args as string[], { from: "user" });
    return undefined;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const isFine = ["commander.helpDisplayed", "commander.version"].includes(error.code);
    const isMention = /missing(Argument|Mandatory)|optionMissingArgument|commander\.help$/.test(error.code);
    return isFine || (isMention && !isWhole) ? undefined : error.message;
  }
}

test("promptloss takes every line that is shown", async () => {
  const calls = shown.flatMap((each) => {
    const args = argumentsTo(["promptloss"], each.line);
    return args === undefined || args.length === 0 || /^(install|-)/.test(each.line)
      ? []
      : [{ ...each, args }];
  });
  expect(calls.length).toBeGreaterThan(60);
  const refused: string[] = [];
  for (const { where, line, args, isWhole } of calls) {
    const refusal = await refusalOf(args, isWhole);
    if (refusal !== undefined) refused.push(`${where}: ${line}: ${refusal}`);
  }
  expect(refused).toEqual([]);
});

/** Options of other programs that pages name by themselves: sbatch, torchrun, a bench. */
const OTHERS = new Set(["--constraint", "--no-python", "--no-times", "--publish", "--write"]);

test("options that sentences name are options of a command", async () => {
  const options = new Set(["--offline", "--help", ...OTHERS]);
  for (const [name, { load }] of Object.entries(COMMANDS)) {
    const command = (await load())(new Command(name));
    for (const { options: own } of [command, ...command.commands])
      for (const { long } of own) if (long != null) options.add(long);
  }
  const unknown = shown.flatMap(({ where, line, isWhole }) => {
    const option = isWhole ? undefined : /^(--[a-z][a-z-]*)/.exec(line)?.[1];
    return option === undefined || options.has(option) ? [] : [`${where}: ${option}`];
  });
  expect(unknown).toEqual([]);
});

test("npm has every script that is shown, and vitest every file", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  const tests = Object.values(testFiles()).flat();
  const unknown = shown.flatMap(({ where, line }) => {
    const script = argumentsTo(["npm", "run"], line)?.[0];
    const files = (argumentsTo(["vitest", "run"], line) ?? []).filter((word) => word.includes("/"));
    const lost = files.filter(
      (file) => !tests.some((each) => each.includes(file)) && !existsSync(join(root, file)),
    );
    if (script !== undefined && scripts[script] === undefined) lost.push(script);
    return lost.map((name) => `${where}: ${name}`);
  });
  expect(unknown).toEqual([]);
});
