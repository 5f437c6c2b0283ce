// The thread in which a model is downloaded while whoever asked for it waits, as download-now.ts says.
import { workerData } from "node:worker_threads";
import type { DownloadMessage, DownloadOrder } from "./download-now.ts";
import { HubError } from "./errors.ts";
import { fetchModelFiles } from "./model.ts";
import { openHubRepository } from "./repository.ts";
import type { HubProgress } from "./settings.ts";

const { name, need, settings, port, signal } = workerData as DownloadOrder;

function tell(message: DownloadMessage): void {
  port.postMessage(message);
  Atomics.add(signal, 0, 1);
  Atomics.notify(signal, 0);
}

const INTERVAL_MS = 100;
let last = 0;

function onProgress(progress: HubProgress): void {
  if (progress.loaded < progress.total && Date.now() - last < INTERVAL_MS) return;
  last = Date.now();
  tell({ type: "progress", ...progress });
}

const alive = setInterval(() => tell({ type: "alive" }), 1000);
try {
  const repository = await openHubRepository(
    { kind: "model", id: name.id, revision: name.revision },
    { ...settings, onProgress },
    (text) => tell({ type: "note", text }),
  );
  tell({ type: "done", folder: await fetchModelFiles(repository, need, name.file) });
} catch (error) {
  if (error instanceof HubError) {
    const { reason, message, file, hint } = error;
    const text = file === undefined ? message : message.slice(`${file}: `.length);
    tell({ type: "refused", reason, text, file, hint });
  } else tell({ type: "failed", text: (error as Error).stack ?? String(error) });
} finally {
  clearInterval(alive);
}
