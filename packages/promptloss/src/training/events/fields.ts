// Every field of every event, in words: what `promptloss train --help` and docs/training.md list. The type keeps the list
// whole.
import type { TrainingEvent } from "./event.ts";

type Fields<E> = E extends unknown ? Readonly<Record<Exclude<keyof E, "type">, string>> : never;

export type EventFields = {
  readonly [T in TrainingEvent["type"]]: Fields<Extract<TrainingEvent, { type: T }>>;
};

const PARTS = {
  prompt: "loss, accuracy and tokens of prompt tokens",
  content: "the same of the completion without what ends it",
  end: "the same of stop tokens and what else ends a completion",
  completion: "the same of content and end together",
} as const;

export const EVENT_FIELDS: EventFields = {
  start: {
    run: "the run's folder",
    model: "the model's folder",
    parameters: "of the model, its adapter included",
    trainable: "those that are trained",
    rows: "trained on",
    heldOutRows: "measured only",
    tokens: "of one epoch",
    epochs: "begun in the run",
    steps: "of the whole run",
    firstStep: "steps that an earlier process did; 0 for a new run",
    promptLossWeight: "with `auto` settled",
    normalization: "what the weighted sum is divided by",
    device: "cpu, cuda:0, …",
    precision: "of matrix products: float32 or bfloat16",
    threads: "of the processor, for each process",
    processes: "that train together; left out for one",
    notes: "what was decided, cut or left out, and how rows were held out",
  },
  step: {
    step: "steps done, from 1",
    epoch: "from 1",
    loss: "weighted and normalized, without penalties",
    penalty: "what kl and minkowski add; left out without them",
    ...PARTS,
    gradientNorm: "before clipping",
    learningRate: "of this step",
    tokens: "of this step",
    seconds: "of this step",
    memory: "resident bytes of the process",
  },
  evaluation: {
    step: "steps done",
    loss: "of the held-out rows, weighted and normalized as in training",
    ...PARTS,
    best: "whether it is the best so far by evaluation.metric",
    seconds: "that it took",
  },
  checkpoint: { step: "steps done", path: "the checkpoint's folder" },
  download: { file: "on its way from the hub, before the start", loaded: "bytes", total: "bytes" },
  progress: {
    phase: "tokenizing, loading (the model) or evaluating",
    done: "rows so far",
    total: "rows in all; left out where that is not known yet",
  },
  note: { message: "something worth knowing" },
  end: {
    reason: "completed, stopped-early or interrupted",
    step: "steps done",
    seconds: "of training, over all processes",
    model: "the model's folder; left out where interrupted",
    writtenStep: "the step whose weights were written; left out where interrupted",
    peakMemory: "highest resident bytes",
  },
  error: { name: "of the error", message: "what is wrong", hint: "what to do" },
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
