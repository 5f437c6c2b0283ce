// Starts the ranks of a group, each a process of its own.
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { environmentOf } from "../../src/distributed/index.ts";

export interface RankResult<T = unknown> {
  /** Null where a signal ended the process. */
  readonly status: number | null;
  readonly stderr: string;
  readonly value?: T;
  readonly error?: {
    readonly name: string;
    readonly message: string;
    readonly rank: number;
    readonly peers: readonly number[];
    readonly operation: string;
  };
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The environment of one of several processes of this machine. */
export function rankEnvironment(rank: number, size: number, port: number): Record<string, string> {
  return environmentOf({ rank, size, localRank: rank, localSize: size, address: "127.0.0.1", port });
}

const runner = fileURLToPath(new URL("./typescript.mjs", import.meta.url));

/**
 * Runs test/programs/ranks.ts once a rank and waits for those that are named.
 * @param starts the ranks that are started; all where left out
 * @param awaits the ranks whose end is awaited; those started where left out
 */
export async function runRanks<T = unknown>(
  size: number,
  what: string,
  { seconds = 20, starts, awaits }: { seconds?: number; starts?: number[]; awaits?: number[] } = {},
): Promise<RankResult<T>[]> {
  const port = await freePort();
  const program = fileURLToPath(new URL("../programs/ranks.ts", import.meta.url));
  const ranks = starts ?? Array.from({ length: size }, (_, rank) => rank);
  const ends = ranks.map((rank) => {
    const child = spawn(process.execPath, ["--no-warnings", runner, program, what, String(seconds)], {
      env: { ...process.env, ...rankEnvironment(rank, size, port) },
      stdio: ["ignore", "pipe", "pipe"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk) => (stdout += chunk));
    child.stderr.on("data", (chunk) => (stderr += chunk));
    return new Promise<RankResult<T>>((resolve) =>
      child.once("close", (status) => {
        const last = stdout.trim().split("\n").at(-1)!;
        resolve({ status, stderr, ...(last === "" ? {} : (JSON.parse(last) as object)) });
      }),
    );
  });
  return Promise.all((awaits ?? ranks).map((rank) => ends[ranks.indexOf(rank)]!));
}
