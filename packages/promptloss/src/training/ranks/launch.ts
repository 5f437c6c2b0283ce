// The processes of a run: the place that a launcher gave this one, or, for a recipe that asks for several and no
// launcher, rank 0, which starts the others on this machine.
import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { availableParallelism } from "node:os";
import { environmentOf, type Placement, placementOf } from "@promptloss/torch/distributed";
import type { Recipe } from "../../recipe/index.ts";
import { TrainingError } from "../errors.ts";

/** How long the others may take to end after rank 0 has, in milliseconds, before they are killed. */
const GRACE = 10_000;

/** How long processes of this machine may take to load and to find each other, in seconds. */
const MEETING = 120;

export interface Launched {
  /** Undefined where one process trains. */
  readonly placement: Placement | undefined;
  /** Seconds within which the others come, where this process started them. */
  readonly meeting?: number;
  /** Waits for the processes that this one started, and ends those that hang. */
  end(): Promise<void>;
}

/**
 * The place of a launcher; undefined for one process, also where a launcher started only one.
 * @throws {TrainingError} where the recipe asks for another number of processes than the launcher started
 */
export function launcherPlacement(recipe: Recipe, env = process.env): Placement | undefined {
  const placement = placementOf(env);
  const { processes } = recipe.training;
  if (placement !== undefined && processes !== undefined && processes !== placement.size)
    throw new TrainingError(`training.processes: ${processes}, but the launcher started ${placement.size}`, {
      hint: "leave the key out under torchrun, srun and their kin: they say how many there are",
    });
  return placement === undefined || placement.size === 1 ? undefined : placement;
}

/**
 * Settles which rank this process is, and starts the others where the recipe asks for them.
 * @param command the program and arguments of a rank
 */
export async function launchRanks(recipe: Recipe, command: readonly string[]): Promise<Launched> {
  const placement = launcherPlacement(recipe);
  const { processes: size = 1, threads } = recipe.training;
  if (placement !== undefined || size === 1) return { placement, end: async () => {} };
  const place = (rank: number) => ({
    rank,
    size,
    localRank: rank,
    localSize: size,
    address: "127.0.0.1",
    port,
  });
  const port = await freePort();
  if (threads === undefined)
    process.env.OMP_NUM_THREADS ??= String(Math.max(1, Math.floor(availableParallelism() / size)));
  const others = Array.from({ length: size - 1 }, (_, i) =>
    spawn(process.execPath, [...process.execArgv, ...command], {
      env: { ...process.env, ...environmentOf(place(i + 1)) },
      stdio: ["ignore", "ignore", "inherit"],
    }),
  );
  return { placement: { ...place(0), storePrefix: "" }, meeting: MEETING, end: () => endAll(others) };
}

async function endAll(children: readonly ChildProcess[]): Promise<void> {
  const running = children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
  const ends = running.map((child) => new Promise((resolve) => child.once("exit", resolve)));
  const timer = setTimeout(() => {
    for (const child of running) child.kill("SIGKILL");
  }, GRACE);
  await Promise.all(ends);
  clearTimeout(timer);
}

/** A port of this machine that is free now; who takes it meanwhile makes the start fail, and the next one finds another. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
