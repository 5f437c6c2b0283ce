import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CellLock } from "./cell-lock.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lock-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const left = (number: number, holder: object): void =>
  writeFileSync(join(folder, `lock.${number}`), JSON.stringify(holder));

const deadProcess = async (): Promise<number> => {
  const child = spawn(process.execPath, ["-e", ""]);
  await once(child, "close");
  return child.pid!;
};

test("one has it at a time, and the next after its release", () => {
  const first = CellLock.take(folder)!;
  expect(CellLock.isHeld(folder)).toBe(true);
  expect(CellLock.take(folder)).toBeUndefined();
  first.release();
  expect(CellLock.isHeld(folder)).toBe(false);
  using second = CellLock.take(folder);
  expect(second).toBeDefined();
});

test("what a dead process left is taken over, and tidied away", async () => {
  left(4, { pid: await deadProcess(), host: hostname() });
  expect(CellLock.isHeld(folder)).toBe(false);
  using lock = CellLock.take(folder);
  expect(lock).toBeDefined();
  expect(readdirSync(folder)).toEqual(["lock.5"]);
});

test.runIf(process.platform === "linux")("a later process of the same id is not the holder", () => {
  left(1, { pid: process.pid, host: hostname(), started: "1" });
  expect(CellLock.isHeld(folder)).toBe(false);
});

test("another machine's lock counts as long as it gives signs of life", () => {
  left(1, { pid: 1, host: "elsewhere" });
  expect(CellLock.take(folder)).toBeUndefined();
  const longAgo = new Date(Date.now() - 3_600_000);
  utimesSync(join(folder, "lock.1"), longAgo, longAgo);
  using lock = CellLock.take(folder);
  expect(lock).toBeDefined();
});

test("a job's lock is free once its scheduler says that the job is gone", () => {
  left(3, { pid: 1, host: "elsewhere", job: "12_0" });
  CellLock.free(folder, (job) => job === "11_0");
  expect(CellLock.isHeld(folder)).toBe(true);
  CellLock.free(folder, (job) => job === "12_0");
  expect(CellLock.isHeld(folder)).toBe(false);
  expect(readdirSync(folder)).toEqual([]);
});

test("of many processes that find a dead one's lock, one gets it", async () => {
  left(1, { pid: await deadProcess(), host: hostname() });
  const start = Date.now() + 1500;
  const source = `
    import { CellLock } from ${JSON.stringify(join(import.meta.dirname, "../../../dist/study/run/cell-lock.js"))};
    while (Date.now() < ${start}) {}
    const lock = CellLock.take(${JSON.stringify(folder)});
    process.stdout.write(lock ? "got" : "not");
    // Nobody may find it free because its holder has ended.
    setTimeout(() => {}, 3000);
  `;
  const outputs = await Promise.all(
    Array.from({ length: 6 }, async () => {
      const child = spawn(process.execPath, ["--input-type=module", "-e", source]);
      let out = "";
      child.stdout.on("data", (data: Buffer) => {
        out += data.toString();
      });
      await once(child, "close");
      return out;
    }),
  );
  expect(outputs.sort()).toEqual(["got", "not", "not", "not", "not", "not"]);
});
