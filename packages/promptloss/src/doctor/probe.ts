// Starts the probe process and reads its answer. Whatever becomes of that process is an answer.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { setupCommand } from "@promptloss/torch/setup";
import type { NativeState } from "./facts.ts";

/** Longer than seven products take on a slow processor with an old libtorch, in ms. */
const PATIENCE = 180_000;

// The process runs what was compiled, also when this file runs from its source, as it does in tests.
const program = fileURLToPath(new URL("./probe-process.js", import.meta.url)).replace(
  /([\\/])src([\\/]doctor[\\/]probe-process\.js)$/,
  "$1dist$2",
);

/** Loads the native code in a process of its own and measures its matrix products. Never rejects. */
export function probeNative(script: string = program, patience: number = PATIENCE): Promise<NativeState> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill("SIGKILL");
    }, patience);
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve(parse(stdout) ?? failure(timedOut ? "time" : (signal ?? code), stderr));
    });
  });
}

function parse(stdout: string): NativeState | undefined {
  try {
    return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as NativeState;
  } catch {
    return undefined;
  }
}

function failure(end: string | number | null, stderr: string): NativeState {
  const last = stderr.trim().split("\n").at(-1);
  const detail = last ? `: ${last}` : "";
  if (end === "time") {
    return {
      works: false,
      message: "the native code did not answer in time",
      hint: "close other programs, or try another libtorch",
    };
  }
  if (end === "SIGILL") {
    return {
      works: false,
      message: "libtorch uses instructions that this processor lacks",
      hint: `use a libtorch that was built for this processor: LIBTORCH=<its folder> ${setupCommand()}`,
    };
  }
  if (end === "SIGKILL") {
    return {
      works: false,
      message: "the system ended the native code, most likely for want of memory",
      hint: "close other programs",
    };
  }
  return {
    works: false,
    message: `the native code ended with ${end}${detail}`,
    hint: `${setupCommand()} builds what changed; another libtorch may serve: LIBTORCH=<its folder> ${setupCommand()}`,
  };
}
