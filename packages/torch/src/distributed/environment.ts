// Which of several processes this one is, from what launchers put into the environment: torchrun and its kin, Slurm's
// srun, and PET_* as Kubernetes operators set them. Pure: variables in, a place out.
import { RankError } from "./errors.ts";

/** A process's place among those that work together. */
export interface Placement {
  /** From 0. */
  readonly rank: number;
  /** The number of processes. */
  readonly size: number;
  /** The rank among the processes of this machine: which GPU is this process's. */
  readonly localRank: number;
  /** The processes of this machine. */
  readonly localSize: number;
  /** Where rank 0, or the launcher, keeps the store by which they find each other. */
  readonly address: string;
  readonly port: number;
  /** Before all keys of a store that the launcher keeps; empty where rank 0 opens one. */
  readonly storePrefix: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The place that a launcher gave this process, or undefined where none did: RANK, WORLD_SIZE and MASTER_* first, then
 * Slurm's of a step with several tasks, then PET_* of one process a node.
 * @throws {RankError} for variables that contradict each other, or are too few
 */
export function placementOf(env: Environment): Placement | undefined {
  return fromTorchrun(env) ?? fromSlurm(env) ?? fromPet(env);
}

/** The variables by which a launcher gives a process a place: what `placementOf` reads first. */
export function environmentOf(place: Omit<Placement, "storePrefix">): Record<string, string> {
  return {
    RANK: String(place.rank),
    WORLD_SIZE: String(place.size),
    LOCAL_RANK: String(place.localRank),
    LOCAL_WORLD_SIZE: String(place.localSize),
    MASTER_ADDR: place.address,
    MASTER_PORT: String(place.port),
  };
}

function fromTorchrun(env: Environment): Placement | undefined {
  const names = ["RANK", "WORLD_SIZE"] as const;
  if (names.every((name) => isUnset(env[name]))) return undefined;
  const needed = [...names, "MASTER_ADDR", "MASTER_PORT"];
  const missing = needed.filter((name) => isUnset(env[name]));
  if (missing.length > 0)
    throw new RankError(
      `${needed.filter((name) => !isUnset(env[name])).join(" and ")} ${needed.length - missing.length > 1 ? "are" : "is"} set, but not ${missing.join(", ")}`,
      {
        hint: "a launcher such as torchrun sets RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT together; unset all of them for one process",
      },
    );
  const agentStore = /^true$/i.test(env.TORCHELASTIC_USE_AGENT_STORE ?? "");
  return checked({
    rank: whole(env, "RANK"),
    size: whole(env, "WORLD_SIZE"),
    localRank: whole(env, "LOCAL_RANK", whole(env, "RANK")),
    localSize: whole(env, "LOCAL_WORLD_SIZE", whole(env, "WORLD_SIZE")),
    address: env.MASTER_ADDR!,
    port: whole(env, "MASTER_PORT"),
    // As torch.distributed names it: a restarted attempt must not read the keys of the one before.
    storePrefix: agentStore ? `/worker/attempt_${env.TORCHELASTIC_RESTART_COUNT ?? "0"}` : "",
  });
}

/** Of a step that srun started: in a batch script, which no step is, Slurm's other variables name rank 0 of N as well. */
function fromSlurm(env: Environment): Placement | undefined {
  if (isUnset(env.SLURM_PROCID) || isUnset(env.SLURM_STEP_NUM_TASKS)) return undefined;
  const size = whole(env, "SLURM_STEP_NUM_TASKS");
  if (size === 1) return undefined;
  const nodes = env.SLURM_STEP_NODELIST ?? env.SLURM_JOB_NODELIST ?? env.SLURM_NODELIST;
  const address = env.MASTER_ADDR ?? (nodes === undefined ? "127.0.0.1" : firstNode(nodes));
  return checked({
    rank: whole(env, "SLURM_PROCID"),
    size,
    localRank: whole(env, "SLURM_LOCALID", 0),
    localSize:
      tasksPerNode(
        env.SLURM_STEP_TASKS_PER_NODE ?? env.SLURM_TASKS_PER_NODE,
        whole(env, "SLURM_NODEID", 0),
      ) ?? size,
    address,
    port: whole(env, "MASTER_PORT", portOfJob(env)),
    storePrefix: "",
  });
}

/** "gpu[03-05,9]" → "gpu03"; "a,b" → "a". */
export function firstNode(list: string): string {
  const [, before = "", number = "", after = ""] =
    /^([^,[]*)(?:\[([^\],-]+)[^\]]*\]([^,]*))?/.exec(list) ?? [];
  return `${before}${number}${after}`;
}

/** "4(x2),3" → 4 for nodes 0 and 1, 3 for node 2. */
function tasksPerNode(text: string | undefined, node: number): number | undefined {
  const counts = (text ?? "").split(",").flatMap((part) => {
    const [, tasks, times = "1"] = /^(\d+)(?:\(x(\d+)\))?$/.exec(part.trim()) ?? [];
    return tasks === undefined ? [] : Array<number>(Number(times)).fill(Number(tasks));
  });
  return counts[node];
}

/** The same in all tasks of a step, and another for another job or step on the same machines. */
function portOfJob(env: Environment): number {
  const job = Number.parseInt(env.SLURM_JOB_ID ?? env.SLURM_JOBID ?? "0", 10) || 0;
  const step = Number.parseInt(env.SLURM_STEP_ID ?? "0", 10) || 0;
  return 20_000 + ((job * 61 + step) % 10_000);
}

function fromPet(env: Environment): Placement | undefined {
  if (isUnset(env.PET_NNODES)) return undefined;
  const perNode = env.PET_NPROC_PER_NODE ?? "1";
  const size = whole(env, "PET_NNODES");
  if (perNode !== "1")
    throw new RankError(
      `PET_NPROC_PER_NODE is ${perNode}: several processes a node are torchrun's to start`,
      {
        hint: "start `torchrun --no-python promptloss train …`, or one process a node",
      },
    );
  if (size === 1) return undefined;
  const missing = ["PET_NODE_RANK", "PET_MASTER_ADDR", "PET_MASTER_PORT"].filter((name) =>
    isUnset(env[name]),
  );
  if (missing.length > 0) throw new RankError(`PET_NNODES is set, but not ${missing.join(", ")}`);
  return checked({
    rank: whole(env, "PET_NODE_RANK"),
    size,
    localRank: 0,
    localSize: 1,
    address: env.PET_MASTER_ADDR!,
    port: whole(env, "PET_MASTER_PORT"),
    storePrefix: "",
  });
}

function checked(place: Placement): Placement {
  const { rank, size, port } = place;
  if (size < 1 || rank >= size)
    throw new RankError(`the environment says rank ${rank} of ${size} processes`, {
      hint: "ranks are 0 to the number of processes less 1",
    });
  if (port < 1 || port > 65_535) throw new RankError(`the environment says port ${port}, which is none`);
  return place;
}

function whole(env: Environment, name: string, otherwise?: number): number {
  const text = env[name];
  if (isUnset(text) && otherwise !== undefined) return otherwise;
  if (!/^\d+$/.test(text ?? ""))
    throw new RankError(`${name}: ${JSON.stringify(text ?? null)} is not a whole number`);
  return Number(text);
}

function isUnset(text: string | undefined): boolean {
  return text === undefined || text === "";
}
