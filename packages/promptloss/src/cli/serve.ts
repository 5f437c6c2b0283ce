import type { Command } from "commander";
import { addServingOptions } from "./serving/options.ts";

type Action = typeof import("./actions/serve.ts").serve;

export function serveCommand(command: Command): Command {
  return addServingOptions(
    command.argument("<models...>", "model folders, adapters', or folders of training runs"),
  ).action(async (...given: Parameters<Action>) => (await import("./actions/serve.ts")).serve(...given));
}
