// A study's analysis, made in a thread: models of scores take seconds, and a server that waits for them answers nobody.
import { Worker } from "node:worker_threads";
import PQueue from "p-queue";
import { compiledProgram } from "../../compiled-program.ts";
import { ServeError } from "../../serve/errors.ts";
import type { Place } from "../folder/scan.ts";
import { resultsStamp } from "../folder/study.ts";

/** What the thread is given. */
export interface AnalysisOrder {
  readonly folder: string;
}

/** What it makes of the results. */
export interface MadeAnalysis {
  readonly verdict: string;
  readonly scores: string;
  /** The whole report. */
  readonly page: string;
}

/** What the thread tells, once. */
export type AnalysisMessage =
  | { readonly made: MadeAnalysis }
  /** Why there is none: the results' fault. */
  | { readonly refused: string };

const program = compiledProgram("./analysis-thread.js", import.meta.url);

interface Kept {
  readonly results: string;
  readonly made: Promise<MadeAnalysis>;
}

/** Analyses by study, each made once for its results; one at a time. */
export class Analyses {
  readonly #kept = new Map<string, Kept>();
  readonly #queue = new PQueue({ concurrency: 1 });

  /** @throws {ServeError} 404 where there are no results yet, 400 for results that no report can be made of */
  async of({ id, path }: Place): Promise<{ readonly results: string } & MadeAnalysis> {
    const results = resultsStamp(path);
    if (results === null)
      throw new ServeError(404, "the study has no results yet", { code: "results_not_found" });
    let kept = this.#kept.get(id);
    if (kept?.results !== results) {
      kept = { results, made: this.#queue.add(() => analysed({ folder: path })) };
      this.#kept.set(id, kept);
    }
    try {
      return { results, ...(await kept.made) };
    } catch (error) {
      // Who asks again may have better luck: memory was short, say.
      if (this.#kept.get(id) === kept) this.#kept.delete(id);
      throw error;
    }
  }
}

function analysed(workerData: AnalysisOrder): Promise<MadeAnalysis> {
  // Not this process's options: among them may be one that changes how the thread's text is read.
  const worker = new Worker(program, { workerData, execArgv: [] });
  worker.unref();
  return new Promise((resolve, reject) => {
    worker.once("message", (message: AnalysisMessage) => {
      if ("made" in message) resolve(message.made);
      else reject(new ServeError(400, message.refused, { code: "results_not_usable" }));
    });
    worker.once("error", reject);
    worker.once("exit", () => reject(new ServeError(500, "the analysis ended without a word")));
  });
}
