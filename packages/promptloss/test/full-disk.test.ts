// A disk that fills up while a command writes, as a user meets it. The disk is a file system in memory, of as many bytes as
// a test asks for, which only the test's own processes see.
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { needs } from "../../../test/needs.ts";
import { program } from "./command.ts";
import { type TrainingFolder, trainingFolder } from "./training-folder.ts";

const unshare = ["--map-root-user", "--mount"];
const mounts = spawnSync("unshare", [...unshare, "mount", "-t", "tmpfs", "none", "/mnt"]).status === 0;
const { test } = needs("smallDisk", mounts);

let folder: TrainingFolder;
let disk: string;
beforeAll(() => {
  folder = trainingFolder();
  disk = join(folder.path, "disk");
  mkdirSync(disk);
});
afterAll(() => folder.remove());

/** Runs a script of the shell over a disk of so many KiB, where $P is the program and `fill KIB` takes room away. */
function onDisk(kib: number, script: string): { stdout: string; stderr: string } {
  const lines = [
    `mount -t tmpfs -o size=${kib}k none disk`,
    'fill() { dd if=/dev/zero of=disk/fill bs=1k count="$1" 2>/dev/null; }',
    script,
  ].join("\n");
  const { stdout, stderr } = spawnSync("unshare", [...unshare, "sh", "-c", lines], {
    cwd: folder.path,
    encoding: "utf8",
    env: { ...process.env, P: `${process.execPath} ${program}`, XDG_CACHE_HOME: join(folder.path, "cache") },
  });
  return { stdout, stderr };
}

const AGAIN = "hint: free some space and run the same command again";

test("a run stops with its cause, keeps what it has, and goes on where there is room again", () => {
  const recipe = folder.recipe("run", "training: { steps: 2, batchSize: 8 }\ncheckpoints: { every: 1 }\n");
  const { stdout, stderr } = onDisk(
    4096,
    `$P train ${recipe} --set output=disk/run --set training.steps=1 >/dev/null; echo first: $?
     fill 9999
     $P train ${recipe} --set output=disk/run --extend >/dev/null; echo full: $?
     ls disk/run/checkpoints
     rm disk/fill
     $P train ${recipe} --set output=disk/run --extend 2>/dev/null | tail -1; echo again: $?`,
  );
  expect(stderr).toMatch(
    /^error: disk\/run.*: the disk is full\nhint: free some space and run the same command again/m,
  );
  expect(stderr).not.toMatch(/ENOSPC|^\s+at /m);
  expect(stdout).toMatch(/^first: 0\nfull: 1\n/);
  expect(stdout).toMatch(/^step-0*1$/m);
  expect(stdout).toMatch(/model in disk\/run\/model, weights of step 2\nagain: 0\n$/);
});

test("the token cache, a data set that is written, and a study's results say the same", () => {
  const study = "study.yaml";
  const { stdout, stderr } = onDisk(
    64,
    `printf 'recipe: { model: model, data: rows.json }\\nfactors: { plw: [0, 1] }\\ntasks: [arc_easy]\\n' > ${study}
     fill 60
     XDG_CACHE_HOME=disk $P train ${folder.recipe("cached", "training: { steps: 1 }\n")} >/dev/null; echo $?
     fill 64
     $P invert rows.json --tokenizer model --all -o disk/inverted.json >/dev/null; echo $?
     $P study results ${study} -o disk/study >/dev/null; echo $?
     find disk -type f | grep -v disk/fill`,
  );
  expect(stdout).toBe("1\n1\n1\n");
  expect(stderr.split("\n").filter((line) => line.startsWith("error: "))).toEqual([
    expect.stringMatching(/^error: .*disk\/promptloss\/tokens.*: the disk is full$/),
    "error: disk/inverted.json: the disk is full",
    expect.stringMatching(/^error: disk\/study.*: the disk is full$/),
  ]);
  expect(stderr.split(AGAIN)).toHaveLength(4);
});
