// A real Slurm of one node, this machine, in a folder of its own: munge, controller, node, and where MariaDB and slurmdbd
// are installed the accounting database behind sacct. For tests; nothing of the system's configuration is touched.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { availableParallelism, hostname, tmpdir, userInfo } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout } from "node:timers/promises";

export interface OneNodeSlurm {
  /** Whether sacct answers. */
  readonly accounting: boolean;
  stop(): Promise<void>;
}

function pathOf(program: string): string | undefined {
  return [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"]
    .map((folder) => join(folder, program))
    .find(existsSync);
}

/** What is missing for `startSlurm`; undefined where nothing is. */
export function whyNoSlurm(): string | undefined {
  const missing = ["munged", "slurmctld", "slurmd", "sbatch", "squeue"].filter((name) => !pathOf(name));
  if (missing.length === 0) return undefined;
  return `${missing.join(", ")} not installed; on Debian: apt-get install slurm-wlm slurmdbd mariadb-server`;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** Starts a cluster and points SLURM_CONF of this process at it. */
export async function startSlurm(): Promise<OneNodeSlurm> {
  const folder = mkdtempSync(join(tmpdir(), "slurm-"));
  const at = (name: string): string => join(folder, name);
  const daemons: ChildProcess[] = [];
  const start = (program: string, args: readonly string[]): void => {
    daemons.push(
      spawn(pathOf(program)!, args, {
        stdio: "ignore",
        env: { ...process.env, SLURM_CONF: at("slurm.conf") },
      }),
    );
  };
  const stop = async (): Promise<void> => {
    for (const daemon of daemons.reverse()) {
      const ended = new Promise((resolve) => daemon.once("close", resolve));
      daemon.kill(daemon.exitCode === null ? "SIGTERM" : 0);
      if (daemon.exitCode === null && daemon.signalCode === null)
        await Promise.race([ended, setTimeout(5000).then(() => daemon.kill("SIGKILL"))]);
    }
    delete process.env.SLURM_CONF;
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    for (const name of ["state", "spool", "run"]) mkdirSync(at(name));
    const socket = at("run/munge.sock");
    writeFileSync(at("munge.key"), randomBytes(1024), { mode: 0o600 });
    start("munged", [
      ...["--foreground", "--force", `--socket=${socket}`, `--key-file=${at("munge.key")}`],
      ...[
        `--pid-file=${at("run/munged.pid")}`,
        `--log-file=${at("munged.log")}`,
        `--seed-file=${at("munged.seed")}`,
      ],
    ]);
    await until(() => existsSync(socket), "munged", at("munged.log"));
    const user = userInfo().username;
    const database = await startDatabase(at, start, user, socket);
    const [controller, node] = [await freePort(), await freePort()];
    writeFileSync(
      at("slurm.conf"),
      [
        "ClusterName=test",
        `SlurmctldHost=${hostname()}(127.0.0.1)`,
        ...[`SlurmUser=${user}`, `SlurmdUser=${user}`],
        ...[`SlurmctldPort=${controller}`, `SlurmdPort=${node}`],
        ...["AuthType=auth/munge", `AuthInfo=socket=${socket}`, "CryptoType=crypto/munge"],
        ...[`StateSaveLocation=${at("state")}`, `SlurmdSpoolDir=${at("spool")}`],
        ...[`SlurmctldPidFile=${at("run/slurmctld.pid")}`, `SlurmdPidFile=${at("run/slurmd.pid")}`],
        ...[`SlurmctldLogFile=${at("slurmctld.log")}`, `SlurmdLogFile=${at("slurmd.log")}`],
        ...["ProctrackType=proctrack/linuxproc", "TaskPlugin=task/none", "MpiDefault=none"],
        ...["SchedulerType=sched/builtin", "SelectType=select/cons_tres", "SelectTypeParameters=CR_CPU"],
        ...["ReturnToService=2", "KillWait=10"],
        ...database,
        `NodeName=${hostname()} NodeAddr=127.0.0.1 CPUs=${availableParallelism()} State=UNKNOWN`,
        "PartitionName=test Nodes=ALL Default=YES MaxTime=INFINITE State=UP",
        "",
      ].join("\n"),
    );
    process.env.SLURM_CONF = at("slurm.conf");
    start("slurmctld", ["-D"]);
    start("slurmd", ["-D"]);
    const idle = (): boolean =>
      spawnSync("sinfo", ["--noheader", "--format=%t"], { encoding: "utf8" }).stdout.trim() === "idle";
    await until(idle, "the node", at("slurmctld.log"));
    return { accounting: database.length > 0, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Lines of slurm.conf for the accounting database; none where it is not installed. */
async function startDatabase(
  at: (name: string) => string,
  start: (program: string, args: readonly string[]) => void,
  user: string,
  munge: string,
): Promise<string[]> {
  const install = pathOf("mariadb-install-db");
  if (install === undefined || !pathOf("mariadbd") || !pathOf("slurmdbd")) return [];
  const [sql, accounts] = [await freePort(), await freePort()];
  spawnSync(install, ["--no-defaults", `--datadir=${at("db")}`, "--skip-test-db", `--user=${user}`]);
  start("mariadbd", [
    ...["--no-defaults", `--user=${user}`, `--datadir=${at("db")}`, `--socket=${at("run/db.sock")}`],
    ...["--bind-address=127.0.0.1", `--port=${sql}`, "--skip-grant-tables", `--pid-file=${at("run/db.pid")}`],
    `--log-error=${at("db.log")}`,
  ]);
  await until(() => logged(at("db.log"), "ready for connections"), "mariadbd", at("db.log"));
  writeFileSync(
    at("slurmdbd.conf"),
    [
      ...["AuthType=auth/munge", `AuthInfo=socket=${munge}`, "DbdHost=localhost", `DbdPort=${accounts}`],
      ...[`SlurmUser=${user}`, "StorageType=accounting_storage/mysql", "StorageHost=127.0.0.1"],
      ...[`StoragePort=${sql}`, `StorageUser=${user}`, "StorageLoc=slurm"],
      ...[`LogFile=${at("slurmdbd.log")}`, `PidFile=${at("run/slurmdbd.pid")}`, ""],
    ].join("\n"),
    { mode: 0o600 },
  );
  // slurmdbd looks for its configuration beside slurm.conf, and the first has to be there.
  start("slurmdbd", ["-D"]);
  await until(() => logged(at("slurmdbd.log"), "started"), "slurmdbd", at("slurmdbd.log"));
  return [
    "AccountingStorageType=accounting_storage/slurmdbd",
    ...[
      "AccountingStorageHost=localhost",
      `AccountingStoragePort=${accounts}`,
      `AccountingStoragePass=${munge}`,
    ],
    "JobAcctGatherType=jobacct_gather/linux",
  ];
}

function logged(log: string, text: string): boolean {
  return existsSync(log) && readFileSync(log, "utf8").includes(text);
}

const POLL_MS = 200;
const PATIENCE_MS = 60_000;

async function until(ready: () => boolean, what: string, log: string): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!ready()) {
    if (Date.now() > deadline)
      throw new Error(`${what} did not come up: ${existsSync(log) ? readFileSync(log, "utf8") : "no log"}`);
    await setTimeout(POLL_MS);
  }
}
