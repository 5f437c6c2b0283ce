import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { thisProcess } from "@promptloss/torch/files";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { compiled } from "../../../../test/compiled.ts";
import { needs } from "../../../../test/needs.ts";
import { FolderLock, holderText, LostLockError } from "./lock.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lock-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A lock that someone left. */
function left(holder: object | string, name = "0123456789abcdef"): string {
  mkdirSync(join(folder, ".lock"));
  const file = join(folder, ".lock", name);
  writeFileSync(file, typeof holder === "string" ? holder : JSON.stringify(holder));
  return file;
}

function age(file: string, seconds: number): void {
  const then = new Date(Date.now() - seconds * 1000);
  utimesSync(file, then, then);
}

async function deadProcess(): Promise<number> {
  const child = spawn(process.execPath, ["-e", ""]);
  await once(child, "close");
  return child.pid!;
}

const program = compiled("packages/promptloss", "files/lock.js");

/** Runs a module that has FolderLock and `folder`; its output. */
async function runModule(source: string): Promise<string> {
  const whole = `import { FolderLock } from ${JSON.stringify(program)};
import { closeSync, openSync, rmSync } from "node:fs";
const folder = ${JSON.stringify(folder)};
${source}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", whole]);
  let out = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (data: Buffer) => {
      out += data.toString();
    });
  await once(child, "close");
  return out;
}

describe("FolderLock", () => {
  test("one has it at a time, and the next after its release; nothing is left of it", () => {
    const first = FolderLock.take(folder)!;
    expect(FolderLock.holder(folder)).toMatchObject({ pid: process.pid, host: hostname() });
    expect(FolderLock.take(folder)).toBeUndefined();
    first.release();
    expect([FolderLock.isHeld(folder), readdirSync(folder)]).toEqual([false, []]);
    using second = FolderLock.take(folder);
    expect(second).toBeDefined();
  });

  test("a dead process's lock is taken over", async () => {
    left({ ...thisProcess(), pid: await deadProcess() });
    expect(FolderLock.isHeld(folder)).toBe(false);
    using lock = FolderLock.take(folder);
    expect(lock).toBeDefined();
    expect(readdirSync(join(folder, ".lock"))).toHaveLength(1);
  });

  needs("linux", process.platform === "linux").test(
    "a later process of the same id is not the holder",
    () => {
      left({ ...thisProcess(), started: "1" });
      expect(FolderLock.isHeld(folder)).toBe(false);
    },
  );

  test("an empty or damaged lock counts as held, for as long as a silent one", () => {
    for (const text of ["", "{", "null", "{}"]) {
      const file = left(text);
      expect(FolderLock.take(folder)).toBeUndefined();
      age(file, 3600);
      FolderLock.take(folder)!.release();
    }
  });

  test("another machine's lock counts as long as it gives signs of life", () => {
    const file = left({ pid: 1, host: "elsewhere" });
    expect(FolderLock.take(folder)).toBeUndefined();
    expect(holderText(FolderLock.holder(folder)!)).toBe("process 1 on elsewhere");
    age(file, 3600);
    using lock = FolderLock.take(folder);
    expect(lock).toBeDefined();
  });

  needs("linux", process.platform === "linux").test(
    "a container of the same name is another machine",
    async () => {
      left({ ...thisProcess(), space: "another boot", pid: await deadProcess() });
      expect(FolderLock.take(folder)).toBeUndefined();
    },
  );

  test("a job's lock is free once its scheduler says that the job is gone", () => {
    left({ pid: 1, host: "elsewhere", job: "12_0" });
    FolderLock.free(folder, (job) => job === "11_0");
    expect(FolderLock.isHeld(folder)).toBe(true);
    FolderLock.free(folder, (job) => job === "12_0");
    expect([FolderLock.isHeld(folder), readdirSync(folder)]).toEqual([false, []]);
  });

  test("a restarted job takes what its last run held; two processes of one run do not", () => {
    const before = { ...process.env };
    try {
      Object.assign(process.env, { SLURM_JOB_ID: "7", SLURM_RESTART_COUNT: "1" });
      left({ pid: 1, host: "elsewhere", job: "7", restarts: 1 });
      expect(FolderLock.take(folder)).toBeUndefined();
      process.env.SLURM_RESTART_COUNT = "2";
      FolderLock.take(folder)!.release();
    } finally {
      process.env = before;
    }
  });

  test("who lost the lock hears of it, and releases nobody else's", () => {
    const first = FolderLock.take(folder)!;
    first.check();
    rmSync(join(folder, ".lock"), { recursive: true });
    using second = FolderLock.take(folder)!;
    expect(() => first.check()).toThrow(LostLockError);
    first.release();
    second.check();
  });

  test("a place that can't hold a lock is told with its path", () => {
    writeFileSync(join(folder, "file"), "");
    expect(() => FolderLock.take(join(folder, "file", "run"))).toThrow(
      /file is a file, and a folder is needed/,
    );
  });
});

describe("many processes", () => {
  test("of those that find a dead one's lock, one gets it", async () => {
    left({ ...thisProcess(), pid: await deadProcess() });
    const start = Date.now() + 1500;
    const outputs = await Promise.all(
      Array.from({ length: 6 }, () =>
        runModule(`while (Date.now() < ${start}) {}
const lock = FolderLock.take(folder);
process.stdout.write(lock ? "got" : "not");
// Nobody may find it free because its holder has ended.
setTimeout(() => {}, 3000);`),
      ),
    );
    expect(outputs.sort()).toEqual(["got", "not", "not", "not", "not", "not"]);
  });

  test("never two at a time, though holders release, die and begin anew", async () => {
    // Who is inside holds a file that is created or not: a second one inside would fail to create it.
    const rounds = 16;
    const source = `
let held = 0;
const pause = new Int32Array(new SharedArrayBuffer(4));
while (held < ${rounds}) {
  const lock = FolderLock.take(folder);
  if (lock === undefined) {
    Atomics.wait(pause, 0, 0, 1);
    continue;
  }
  closeSync(openSync(folder + "/inside", "wx"));
  for (let i = 0; i < 1e4; i++) Math.sqrt(i);
  rmSync(folder + "/inside");
  held++;
  if (DIES && held === ${rounds / 2}) process.kill(process.pid, "SIGKILL");
  lock.release();
}
process.stdout.write(String(held));`;
    const outputs = await Promise.all(
      Array.from({ length: 8 }, (_, i) => runModule(source.replace("DIES", String(i % 2 === 1)))),
    );
    expect(outputs.filter((_, i) => i % 2 === 0)).toEqual(["16", "16", "16", "16"]);
    expect(outputs.filter((_, i) => i % 2 === 1)).toEqual(["", "", "", ""]);
  });

  test("signs of life come while the process computes", async () => {
    const out = await runModule(`
import { readdirSync, statSync, utimesSync } from "node:fs";
const lock = FolderLock.take(folder);
const file = folder + "/.lock/" + readdirSync(folder + "/.lock")[0];
const seen = () => statSync(file).mtimeMs;
utimesSync(file, 1, 1);
const end = Date.now() + 40000;
while (seen() === 1000 && Date.now() < end) {}
process.stdout.write(seen() > 1000 ? "beats" : "silent");
lock.release();`);
    expect(out).toBe("beats");
  });
});
