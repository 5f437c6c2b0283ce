// A lock file that one process at a time holds. One that a killed process left behind is taken over.
// It is for processes of one machine: the holder is known by its process id.
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Waits for the lock and takes it. Returns the function that gives it back. */
export async function acquireLock(file, log, { interval = 200 } = {}) {
  mkdirSync(dirname(file), { recursive: true });
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, String(process.pid));
  let waiting = false;
  try {
    while (!tryLink(mine, file)) {
      const holder = read(file);
      if (holder === undefined) continue;
      if (!isAlive(Number(holder))) {
        takeAway(file, holder);
        continue;
      }
      if (!waiting) log(`waiting for another set-up, process ${holder} (its lock: ${file})`);
      waiting = true;
      await sleep(interval);
    }
  } finally {
    rmSync(mine, { force: true });
  }
  return () => rmSync(file, { force: true });
}

// A hard link, unlike a new file, appears with its content: nobody reads a lock without its holder.
function tryLink(from, to) {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

// Between reading a dead holder's lock and removing it, another process may have taken it over: then it goes back.
function takeAway(file, holder) {
  const aside = `${file}.${process.pid}.stale`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (error.code === "ENOENT") return;
    throw error;
  }
  if (read(aside) !== holder) tryLink(aside, file);
  rmSync(aside, { force: true });
}

function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
