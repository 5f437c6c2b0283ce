// The program `promptloss-torch`: `setup` finds or fetches libtorch and builds the native code, `which` says what
// is in use. `--json` prints one JSON value on standard output; progress then goes to standard error.
import { parseArgs } from "node:util";
import { TorchError } from "../errors.ts";
import { readCurrentBuild } from "./current-build.ts";
import { SetupError } from "./errors.ts";
import { libtorchLine } from "./libtorch.ts";
import { setUp } from "./set-up.ts";

const USAGE = `usage: promptloss-torch setup [--fetch] [--json]
       promptloss-torch which [--json]

  setup    find or fetch libtorch, and build the native code against it
  which    print the build in use

  --fetch  try to fetch libtorch again although that failed a short while ago
  --json   print the result as JSON
`;

/** Runs the program. Returns its exit code: 0, 1 for a failed set-up, 2 for wrong arguments. */
export async function main(args: readonly string[]): Promise<number> {
  const options = {
    json: { type: "boolean" },
    fetch: { type: "boolean" },
    help: { type: "boolean" },
  } as const;
  let parsed: ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>;
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  const { values, positionals } = parsed;
  const [command, ...rest] = positionals;
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  try {
    if (command === "setup" && rest.length === 0)
      return await runSetup(values.json ?? false, values.fetch ?? false);
    if (command === "which" && rest.length === 0 && !values.fetch) return runWhich(values.json ?? false);
  } catch (error) {
    if (!(error instanceof TorchError)) throw error;
    return fail(error, values.json ?? false);
  }
  process.stderr.write(USAGE);
  return 2;
}

async function runSetup(json: boolean, retryFetch: boolean): Promise<number> {
  const log = (line: string): void => {
    (json ? process.stderr : process.stdout).write(`${line}\n`);
  };
  const terminal = json ? process.stderr : process.stdout;
  const { current, folder, compiled, linked, remark } = await setUp({ log, terminal, retryFetch });
  if (json) printJson({ ok: true, ...current, folder, compiled, linked, remark: remark ?? null });
  return 0;
}

function runWhich(json: boolean): number {
  const current = readCurrentBuild();
  if (current === undefined) {
    throw new SetupError("nothing is set up yet", { hint: "run `promptloss-torch setup`" });
  }
  if (json) {
    printJson(current);
    return 0;
  }
  const { addon = "not built", ops = "not built" } = current;
  process.stdout.write(`${libtorchLine(current.libtorch)}\nbinding: ${addon}\noperators: ${ops}\n`);
  return 0;
}

function fail(error: TorchError, json: boolean): number {
  const { name, message, hint } = error;
  if (json) printJson({ ok: false, error: name, message, hint: hint ?? null });
  else process.stderr.write(`error: ${message}\n${hint === undefined ? "" : `hint: ${hint}\n`}`);
  return 1;
}

function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}
