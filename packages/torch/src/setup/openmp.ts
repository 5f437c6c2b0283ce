// Finds out how a compiler switches OpenMP on, by compiling a line.
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder, replaceFile } from "../files/atomic.ts";
import type { Machine } from "../machine.ts";
import type { Compiler } from "./compiler.ts";
import { runCommand } from "./run-command.ts";

const PROBE =
  "#include <omp.h>\n#ifndef _OPENMP\n#error no OpenMP\n#endif\nint f() { return omp_get_max_threads(); }\n";

/** The compiler's arguments that switch OpenMP on, asked once and kept in `folder`; empty where it has none. */
export async function openmpArguments(
  compiler: Compiler,
  machine: Machine,
  folder: string,
): Promise<string[]> {
  const key = createHash("sha256")
    .update(JSON.stringify([compiler, machine.platform]))
    .digest("hex");
  const answer = join(folder, `openmp-${key.slice(0, 10)}.json`);
  if (existsSync(answer)) return JSON.parse(readFileSync(answer, "utf8")) as string[];
  makeFolder(folder);
  // Each asks in a folder of its own: a source that another build shares, it may remove too soon.
  const own = mkdtempSync(join(folder, "openmp-"));
  try {
    const source = join(own, "probe.cpp");
    writeFileSync(source, PROBE);
    for (const candidate of candidates(compiler, machine)) {
      const [program, ...first] = compiler.command;
      const { code } = await runCommand(program, [...first, ...candidate, "-fsyntax-only", source], {
        env: machine.env,
      });
      if (code !== 0) continue;
      replaceFile(answer, JSON.stringify(candidate));
      return candidate;
    }
    return [];
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

/** What to try to switch OpenMP on, the first that compiles being used. */
function candidates(compiler: Compiler, machine: Machine): string[][] {
  if (machine.platform !== "darwin" || compiler.family === "gcc") return [["-fopenmp"]];
  const folders = ["/opt/homebrew/opt/libomp/include", "/usr/local/opt/libomp/include"].filter(existsSync);
  return [
    ["-Xpreprocessor", "-fopenmp"],
    ...folders.map((dir) => ["-Xpreprocessor", "-fopenmp", "-isystem", dir]),
  ];
}
