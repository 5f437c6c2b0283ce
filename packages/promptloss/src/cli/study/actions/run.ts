// `promptloss study run`: trains and evaluates the cells that are not done. Exit code 1 where a cell failed.
import type { Command } from "commander";
import { counted } from "../../../counted.ts";
import { PromptlossError } from "../../../errors.ts";
// Modules rather than the door of all of `study`, whose models of scores take long to load: nothing here fits any.
import { type RunStudyOptions, runStudy } from "../../../study/launch/run-study.ts";
import { submitStudy } from "../../../study/launch/slurm.ts";
import type { Study } from "../../../study/plan/read-study.ts";
import { harmlessJson } from "../../../terminal/index.ts";
import { keysGiven } from "../../options.ts";
import { studyOf } from "../read-study-file.ts";
import { RunView } from "../run-view.ts";
import type { StudyFlags } from "../study-file.ts";

interface WorkFlags extends StudyFlags {
  concurrency?: number;
  retry?: true;
  srun?: true;
  events?: true;
  json?: true;
}

interface Flags extends WorkFlags {
  overwrite?: true;
  cell: string[];
  launcher: "local" | "slurm";
}

/** As a shell gives them for a process that a signal ended. */
const EXIT = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

function submit(study: Study, flags: Flags): void {
  const { retry, cell, concurrency } = flags;
  const job = submitStudy(study, {
    retry: retry === true,
    ...(cell.length > 0 && { only: cell }),
    ...(concurrency !== undefined && { concurrency }),
    args: keysGiven(flags).flatMap((each) => ["--set", each]),
  });
  process.stdout.write(
    job === undefined
      ? "there is nothing to submit: all cells are done, failed, or with a job already\n"
      : `job ${job.job}: ${counted(job.cells.length, "cell")}, by ${job.script}\npromptloss study status watches it\n`,
  );
}

export async function runRun(file: string, flags: Flags, command: Command): Promise<void> {
  const { overwrite, cell, events, json, srun, launcher } = flags;
  const study = studyOf(file, flags);
  if (launcher === "slurm") {
    if (overwrite || events || json || srun)
      command.error("error: --overwrite, --events, --json and --srun belong to --launcher local");
    submit(study, flags);
    return;
  }
  await runHere(study, flags, { overwrite: overwrite === true, ...(cell.length > 0 && { only: cell }) });
}

export async function runWork(file: string, flags: WorkFlags): Promise<void> {
  await runHere(studyOf(file, flags), flags, { waits: true });
}

async function runHere(
  study: Study,
  { concurrency, retry, srun, events, json }: WorkFlags,
  options: RunStudyOptions,
): Promise<void> {
  const abort = new AbortController();
  const view = events || json ? undefined : new RunView(study);
  let ended: keyof typeof EXIT | undefined;
  const handlers = (["SIGINT", "SIGTERM", "SIGHUP"] as const).map((signal) => {
    const handler = (): void => {
      ended ??= signal;
      view?.stopping();
      abort.abort();
    };
    process.on(signal, handler);
    return () => process.removeListener(signal, handler);
  });
  try {
    const summary = await runStudy(study, {
      ...options,
      ...(concurrency !== undefined && { concurrency }),
      retry: retry === true,
      srun: srun === true,
      signal: abort.signal,
      onEvent: (event) => {
        if (view !== undefined) view.show(event);
        else if (json) return;
        else if (event.type !== "training") process.stdout.write(`${harmlessJson(event)}\n`);
        else {
          const { cell: from, ...rest } = event;
          process.stdout.write(`${harmlessJson({ ...rest, cell: from.id })}\n`);
        }
      },
    });
    view?.end(summary);
    if (json) process.stdout.write(`${harmlessJson({ ...summary, output: study.output }, 2)}\n`);
    if (ended !== undefined) process.exitCode = EXIT[ended];
    else if (summary.failed > 0)
      throw new PromptlossError(`${summary.failed} of ${counted(study.cells.length, "cell")} failed`, {
        hint: "promptloss study status says why; --retry begins them again",
      });
  } finally {
    for (const remove of handlers) remove();
  }
}
