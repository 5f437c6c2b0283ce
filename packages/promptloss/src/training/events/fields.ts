// Every field of every event, in words: what `promptloss train --help` and docs/training.md list. The type keeps the list
// whole.
import type { TrainingEvent } from "./event.ts";

type Fields<E> = E extends unknown ? Readonly<Record<Exclude<keyof E, "type">, string>> : never;

export type EventFields = {
  readonly [T in TrainingEvent["type"]]: Fields<Extract<TrainingEvent, { type: T }>>;
};

const PARTS = {
  prompt: "`loss`, `accuracy` and `tokens` of the prompt",
  content: "the same of the completion, without what ends it",
  end: "the same of the stop token and what else ends a completion",
  completion: "the same of `content` and `end` together",
} as const;

export const EVENT_FIELDS: EventFields = {
  start: {
    run: "the run's folder",
    model: "the model's folder",
    parameters: "parameters of the model and its adapter",
    trainable: "parameters that are trained",
    rows: "rows that are trained on",
    heldOutRows: "rows that are only measured",
    tokens: "tokens per epoch",
    epochs: "epochs of the whole run; the last may be begun only",
    steps: "optimizer steps of the whole run",
    firstStep: "steps done by an earlier process; 0 for a new run",
    promptLossWeight: "the prompt loss weight; a number for `auto` too",
    normalization: "what the weighted sum of losses is divided by",
    device: "`cpu`, `cuda:0`, …",
    precision: "precision of matrix products: `float32` or `bfloat16`",
    threads: "threads per process",
    processes: "processes that train together; left out for one",
    notes: "what was decided, cut or left out, and how rows were held out, in words",
  },
  step: {
    step: "the step, counted from 1",
    epoch: "the epoch, counted from 1",
    loss: "weighted and normalized loss, without penalties",
    penalty: "what `kl` and `minkowski` add to the loss; left out without them",
    ...PARTS,
    gradientNorm: "norm of all gradients, before clipping",
    learningRate: "learning rate of this step",
    tokens: "tokens in this step",
    seconds: "duration of this step",
    memory: "resident memory of the process, in bytes",
  },
  evaluation: {
    step: "steps done",
    loss: "loss of the held-out rows, weighted and normalized as in training",
    ...PARTS,
    best: "`true` for the best evaluation so far, by `evaluation.metric`",
    seconds: "duration of the evaluation",
  },
  checkpoint: { step: "steps done", path: "the checkpoint's folder" },
  download: { file: "the file that the hub sends", loaded: "bytes so far", total: "bytes in all" },
  progress: {
    phase:
      "`tokenizing`, `weighing` (rows and which are held out), `loading` (the model), `reference` (what the reference model makes of the rows) or `evaluating`",
    done: "rows so far",
    total: "rows in all; left out where that is not known yet",
    share: "of the data's bytes, from 0 to 1, while rows are tokenized",
  },
  note: { message: "something worth knowing" },
  warning: {
    sink: "what `logging.reportTo` names and does not work",
    message: "what is wrong; the run goes on",
    hint: "what to do",
  },
  end: {
    reason: "`completed`, `stopped-early` or `interrupted`",
    step: "steps done",
    seconds: "duration of training, earlier processes of the run included",
    model: "the folder of the trained model; left out after an interruption",
    writtenStep: "the step whose weights were written; left out after an interruption",
    peakMemory: "most resident memory, in bytes",
  },
  error: { name: "name of the error", message: "what is wrong", hint: "what to do" },
};

/** The list as lines of text. */
export function eventFieldLines(): string[] {
  return Object.entries(EVENT_FIELDS).flatMap(([type, fields]) => {
    const width = Math.max(...Object.keys(fields).map(({ length }) => length));
    return [
      `  ${type}`,
      ...Object.entries(fields).map(([name, text]) => `    ${name.padEnd(width)}  ${text}`),
    ];
  });
}
