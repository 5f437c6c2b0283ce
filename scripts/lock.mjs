// A lock file that one process at a time holds. One that a killed process left behind is taken over.
// It is for processes of one machine: the holder is known by its process id and start. It stands apart from the folder
// lock of packages/promptloss/src/files, as set-up needs it before dependencies and compiled code exist.
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Waits for the lock and takes it. Returns the function that gives it back. */
export async function acquireLock(file, log, { interval = 200 } = {}) {
  mkdirSync(dirname(file), { recursive: true });
  const mine = `${file}.${process.pid}`;
  const me = `${process.pid} ${startOf(process.pid)}`;
  writeFileSync(mine, me);
  let waiting = false;
  try {
    while (!tryLink(mine, file)) {
      const holder = read(file);
      if (holder === undefined) continue;
      const [pid, started] = holder.split(" ");
      if (!isAlive(Number(pid)) || (started !== undefined && started !== startOf(pid))) {
        takeAway(file, holder);
        continue;
      }
      if (!waiting) log(`waiting for another set-up, process ${pid} (its lock: ${file})`);
      waiting = true;
      await sleep(interval);
    }
  } finally {
    rmSync(mine, { force: true });
  }
  return () => {
    if (read(file) === me) rmSync(file, { force: true });
  };
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

/** Tells a process from a later one of the same id; empty where the system does not say. */
function startOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return "";
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
