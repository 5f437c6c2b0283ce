// The thread that sends a run's numbers to MLflow while the process computes: a step of training lets nothing else run.
import { parentPort, workerData } from "node:worker_threads";
import type { FromThread, MlflowThreadData, ToThread } from "./messages.ts";
import { MlflowSender } from "./sender.ts";
import { mlflowAccess } from "./settings.ts";

const { settings, trackingUri, key, runId } = workerData as MlflowThreadData;
const port = parentPort!;

function tell(message: FromThread): void {
  port.postMessage(message);
}

const sender = new MlflowSender({
  ...{ settings, key, runId },
  access: mlflowAccess(trackingUri, process.env),
  warn: (warning) => tell({ type: "warning", warning }),
  onRun: (id) => tell({ type: "run", id }),
});

port.on("message", (message: ToThread) => {
  if (message.type === "open") sender.open(message.run);
  else if (message.type === "add") sender.add(message.event, message.at);
  else if (message.type === "hurry") sender.hurry();
  else
    void sender.close(message.end).then((isWhole) => {
      tell({ type: "closed", isWhole });
      port.close();
    });
});
