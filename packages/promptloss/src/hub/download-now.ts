// A model of the hub where a folder is asked for: downloaded in a thread, while this one waits. Recipes are read and
// models opened by functions that return at once, and a model that is here already costs them one question to the hub.
import { channel } from "node:diagnostics_channel";
import { existsSync } from "node:fs";
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import { compiledProgram } from "../compiled-program.ts";
import { HubError, type HubErrorReason } from "./errors.ts";
import type { HubModelName, ModelNeed } from "./model.ts";
import { type HubProgress, type HubSettings, hubSettings } from "./settings.ts";

/** The channel of `node:diagnostics_channel` that is told how far downloads of models are, and of what is noted. */
export const HUB_CHANNEL = "promptloss:hub";

/** What the channel is told. */
export type HubMessage =
  | ({ readonly type: "progress" } & HubProgress)
  | { readonly type: "note"; readonly text: string };

/** What the thread tells. */
export type DownloadMessage =
  | HubMessage
  | { readonly type: "alive" }
  | { readonly type: "done"; readonly folder: string }
  | { readonly type: "failed"; readonly text: string }
  | {
      readonly type: "refused";
      readonly reason: HubErrorReason;
      readonly text: string;
      readonly file: string | undefined;
      readonly hint: string | undefined;
    };

/** What the thread is given. */
export interface DownloadOrder {
  readonly name: HubModelName;
  readonly need: ModelNeed;
  readonly settings: Omit<HubSettings, "onProgress">;
  readonly port: MessagePort;
  /** Counts the messages, and is what is waited on. */
  readonly signal: Int32Array;
}

const program = compiledProgram("./download-thread.js", import.meta.url);

/** The thread says every second that it lives; after this long without a word it doesn't, in ms. */
const PATIENCE = 120_000;

/** By name, need and cache, so that a process asks the hub once. */
const known = new Map<string, string>();

/**
 * The folder of a model of the hub, in Hugging Face's own cache; what isn't there is downloaded first.
 * @throws {HubError} for a model that isn't there, isn't allowed, can't be read, or is out of reach and not in the cache
 */
export function hubModelFolder(name: HubModelName, need: ModelNeed): string {
  const { onProgress: _, ...settings } = hubSettings({});
  const keyOf = (what: ModelNeed): string => JSON.stringify([name, what, settings]);
  const before = known.get(keyOf(need)) ?? known.get(keyOf("model"));
  if (before !== undefined && existsSync(before)) return before;
  const folder = download({ name, need, settings });
  known.set(keyOf(need), folder);
  return folder;
}

function download(order: Omit<DownloadOrder, "port" | "signal">): string {
  const { port1, port2 } = new MessageChannel();
  const signal = new Int32Array(new SharedArrayBuffer(4));
  const workerData: DownloadOrder = { ...order, port: port2, signal };
  // Not this process's options: among them may be one that changes how the thread's text is read.
  const worker = new Worker(program, { workerData, transferList: [port2], execArgv: [] });
  worker.unref();
  try {
    return follow(port1, signal);
  } finally {
    port1.close();
    void worker.terminate();
  }
}

function follow(port: MessagePort, signal: Int32Array): string {
  const hub = channel(HUB_CHANNEL);
  for (;;) {
    const seen = Atomics.load(signal, 0);
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
      const message = next.message as DownloadMessage;
      if (message.type === "done") return message.folder;
      if (message.type === "refused") throw new HubError(message.reason, message.text, message);
      if (message.type === "failed") throw new Error(message.text);
      if (message.type !== "alive") hub.publish(message satisfies HubMessage);
    }
    if (Atomics.wait(signal, 0, seen, PATIENCE) === "timed-out")
      throw new HubError("hub-download", "the thread that downloads it doesn't answer", {
        hint: "Run it again: what is here already is kept.",
      });
  }
}
