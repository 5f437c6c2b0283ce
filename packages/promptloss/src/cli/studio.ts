import type { Command } from "commander";
import { addServingOptions } from "./serving/options.ts";

type Action = typeof import("./actions/studio.ts").studio;

export function studioCommand(command: Command): Command {
  return addServingOptions(
    command
      .argument("[folder]", "the folder below which runs and studies lie", "runs")
      .argument("[models...]", "models to chat with and train from: their folders, or those of runs"),
  ).action(async (...given: Parameters<Action>) => (await import("./actions/studio.ts")).studio(...given));
}
