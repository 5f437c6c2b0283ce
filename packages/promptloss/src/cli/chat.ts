import type { Command } from "commander";
import { addDecodingOptions, addModelOptions } from "./generation/options.ts";

type Action = typeof import("./actions/chat.ts").runChat;

export function chatCommand(command: Command): Command {
  command
    .argument("<model>", "a model folder, an adapter's, or the folder of a training run")
    .option("--system <text>", "a system message before the conversation");
  return addDecodingOptions(addModelOptions(command)).action(async (...given: Parameters<Action>) =>
    (await import("./actions/chat.ts")).runChat(...given),
  );
}
