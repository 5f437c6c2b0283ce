// `promptloss study run`: trains and evaluates the cells that are not done. Exit code 1 where a cell failed.
import { Command } from "commander";
import { PromptlossError } from "../../errors.ts";
import { runStudy } from "../../study/index.ts";
import { collect, positiveCount } from "../options.ts";
import { RunView } from "./run-view.ts";
import { type StudyFlags, studyOf, withStudyOptions } from "./study-file.ts";

interface Flags extends StudyFlags {
  concurrency?: number;
  retry?: true;
  overwrite?: true;
  cell: string[];
  events?: true;
}

/** As a shell gives them for a process that a signal ended. */
const EXIT = { SIGINT: 130, SIGTERM: 143 } as const;

export const runCommand = (): Command =>
  withStudyOptions(
    new Command("run").description("train and evaluate the cells that are not done; run it again to go on"),
  )
    .option("--concurrency <cells>", "cells at a time, in place of the file's", positiveCount)
    .option("--retry", "begin failed cells again, from their checkpoints")
    .option("--overwrite", "begin the trainings of cells that are not done anew")
    .option("--cell <id>", "this cell only; again for more", collect, [])
    .option("--events", "print events as JSON lines in place of the live view")
    .action(async (file: string, { concurrency, retry, overwrite, cell, events, ...flags }: Flags) => {
      const study = studyOf(file, flags);
      const abort = new AbortController();
      const view = events ? undefined : new RunView(study);
      let ended: keyof typeof EXIT | undefined;
      const handlers = (["SIGINT", "SIGTERM"] as const).map((signal) => {
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
          ...(concurrency !== undefined && { concurrency }),
          retry: retry === true,
          overwrite: overwrite === true,
          ...(cell.length > 0 && { only: cell }),
          signal: abort.signal,
          onEvent: (event) => {
            if (view !== undefined) view.show(event);
            else if (event.type !== "training") process.stdout.write(`${JSON.stringify(event)}\n`);
            else {
              const { cell: from, ...rest } = event;
              process.stdout.write(`${JSON.stringify({ ...rest, cell: from.id })}\n`);
            }
          },
        });
        view?.end(summary);
        if (ended !== undefined) process.exitCode = EXIT[ended];
        else if (summary.failed > 0)
          throw new PromptlossError(`${summary.failed} of ${study.cells.length} cells failed`, {
            hint: "promptloss study status says why; --retry begins them again",
          });
      } finally {
        for (const remove of handlers) remove();
      }
    });
