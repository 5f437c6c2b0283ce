// The script of an array job: what it asks of Slurm, and the one cell that each task runs. Pure.
import type { SlurmSettings } from "../plan/schema.ts";

export interface JobScriptSettings {
  readonly name: string;
  /** Of the job: cells.txt lies there, logs go there. */
  readonly folder: string;
  readonly tasks: number;
  /** The most that a cell's training has; each gets the cores that the study file asks for. */
  readonly processes: number;
  /** That the command runs in. */
  readonly directory: string;
  readonly settings: SlurmSettings;
  /** To which `--cell ID` is added. */
  readonly command: readonly string[];
}

/** Seconds before its time runs out in which a task ends its step and writes a checkpoint: a tenth of a short time. */
const GRACE_SECONDS = 120;

/** Of a time as Slurm writes it: minutes, minutes:seconds, hours:minutes:seconds, days-hours and so on. */
function secondsOf(time: string | number): number {
  const [days, clock] = String(time).includes("-") ? String(time).split("-") : [undefined, String(time)];
  const parts = clock!.split(":").map(Number);
  // After days the first part is hours; without them one part is minutes, two are minutes and seconds.
  const [hours = 0, minutes = 0, seconds = 0] =
    days !== undefined ? parts : parts.length === 3 ? parts : [0, ...parts];
  return ((Number(days ?? 0) * 24 + hours) * 60 + minutes) * 60 + seconds;
}

function graceOf(time: string | number | undefined): number {
  return time === undefined ? GRACE_SECONDS : Math.min(GRACE_SECONDS, Math.floor(secondsOf(time) / 10));
}

export function jobScript(job: JobScriptSettings): string {
  const { name, folder, tasks, processes, directory, settings, command } = job;
  const { partition, account, time, memory, cpus, gpus, concurrency, options, setup } = settings;
  const limit = concurrency === undefined ? "" : `%${concurrency}`;
  const asked = [
    `--job-name=${name}`,
    `--array=0-${tasks - 1}${limit}`,
    `--chdir=${directory}`,
    // In file names % begins a pattern.
    `--output=${folder.replaceAll("%", "%%")}/%a.log`,
    "--open-mode=append",
    `--signal=B:TERM@${graceOf(time)}`,
    ...given("partition", partition),
    ...given("account", account),
    ...given("time", time),
    ...given("mem", memory),
    ...(processes === 1 ? [] : [`--ntasks=${processes}`]),
    ...given("cpus-per-task", cpus),
    ...(gpus === undefined || gpus === 0 ? [] : [`--gpus-per-node=${gpus}`]),
    ...options,
  ];
  return [
    "#!/bin/bash",
    ...asked.map((option) => `#SBATCH ${directive(option)}`),
    "",
    ...setup,
    `cell=$(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" ${quoted(`${folder}/cells.txt`)})`,
    "# In the shell's place, so that Slurm's signals reach it: it writes a checkpoint and ends.",
    `exec ${command.map(quoted).join(" ")}${processes === 1 ? "" : " --srun"} --cell "$cell"`,
    "",
  ].join("\n");
}

function given(option: string, value: string | number | undefined): string[] {
  return value === undefined ? [] : [`--${option}=${value}`];
}

/** sbatch splits its lines at blanks, except inside double quotes. */
function directive(option: string): string {
  if (!/[\s"#]/.test(option)) return option;
  const at = option.indexOf("=") + 1;
  return `${option.slice(0, at)}"${option.slice(at).replaceAll('"', '\\"')}"`;
}

/** For a shell. */
function quoted(text: string): string {
  return /^[\w./:=,@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
