// `promptloss chat`: a conversation with a model, in a terminal or over a pipe.
import { createInterface } from "node:readline";
import { Command } from "commander";
import { PromptlossError } from "../errors.ts";
import { Conversation, type TextGenerationOptions } from "../generation/index.ts";
import { ink, product } from "../terminal/index.ts";
import {
  addDecodingOptions,
  addModelOptions,
  type DecodingFlags,
  decodingOptions,
  inFlagNames,
  loadGenerator,
  type ModelFlags,
} from "./generation/options.ts";

interface Flags extends ModelFlags, DecodingFlags {
  system?: string;
}

/** New tokens of an answer where neither flag nor model says. */
const ANSWER_LENGTH = 1024;

const HELP = "/reset begins anew · /exit leaves · Ctrl-C stops an answer";

export function chatCommand(): Command {
  const command = new Command("chat")
    .description("talk with a model; messages are lines")
    .argument("<model>", "a model folder, an adapter's, or the folder of a training run")
    .option("--system <text>", "what the model is told before the conversation");
  return addDecodingOptions(addModelOptions(command)).action(async (path: string, flags: Flags) => {
    using generator = await loadGenerator(path, flags);
    const { system } = flags;
    const conversation = new Conversation(generator, system === undefined ? {} : { system });
    const options = {
      ...(generator.defaults.maxNewTokens === undefined && { maxNewTokens: ANSWER_LENGTH }),
      ...decodingOptions(flags),
    };
    const { name } = generator.template;
    if (!conversation.remembers)
      process.stderr.write(
        `${ink.yellow("!")} template ${name} is for one exchange: every message stands alone\n`,
      );
    await new Chat(conversation, options).run();
  });
}

class Chat {
  readonly #conversation: Conversation;
  readonly #options: TextGenerationOptions;
  readonly #isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
  #answering: AbortController | undefined;

  constructor(conversation: Conversation, options: TextGenerationOptions) {
    this.#conversation = conversation;
    this.#options = options;
  }

  async run(): Promise<void> {
    const reader = createInterface({
      input: process.stdin,
      terminal: this.#isTerminal,
      ...(this.#isTerminal && { output: process.stdout, prompt: ink.bold("> ") }),
    });
    const interrupt = (): void => {
      if (this.#answering !== undefined) this.#answering.abort();
      else if (this.#isTerminal) {
        process.stdout.write(`\n${ink.dim(HELP)}\n`);
        reader.prompt();
      } else {
        process.exitCode = 130;
        reader.close();
      }
    };
    // A terminal in raw mode gives Ctrl-C to the reader; a signal from elsewhere comes to the process.
    if (this.#isTerminal) reader.on("SIGINT", interrupt);
    process.on("SIGINT", interrupt);
    if (this.#isTerminal) {
      process.stdout.write(`${ink.dim(HELP)}\n`);
      reader.prompt();
    }
    try {
      for await (const line of reader) {
        if (line.trim() === "/exit") break;
        await this.#hear(line.trim());
        if (this.#isTerminal) reader.prompt();
      }
    } finally {
      process.off("SIGINT", interrupt);
      reader.close();
    }
  }

  async #hear(message: string): Promise<void> {
    if (message === "") return;
    if (message === "/reset") this.#conversation.reset();
    else if (message === "/help") process.stderr.write(`${ink.dim(HELP)}\n`);
    else if (/^\/[a-z]+$/.test(message))
      this.#complain(new PromptlossError(`there is no ${message}`, { hint: HELP }));
    else await this.#answer(message);
  }

  async #answer(message: string): Promise<void> {
    this.#answering = new AbortController();
    let begun = false;
    try {
      const pieces = this.#conversation.say(message, { ...this.#options, signal: this.#answering.signal });
      for await (const { text } of pieces) {
        // Templates that leave the space before an answer to the model make every answer begin with one.
        process.stdout.write(product(begun ? text : text.trimStart()));
        begun ||= text.trim() !== "";
      }
      process.stdout.write(this.#answering.signal.aborted ? ` ${ink.dim("[stopped]")}\n` : "\n");
    } catch (error) {
      const known = inFlagNames(error);
      if (!(known instanceof PromptlossError)) throw error;
      this.#complain(known);
    } finally {
      this.#answering = undefined;
    }
  }

  /** What is wrong with a message leaves the conversation as it was; the exit code of a pipe tells of it. */
  #complain(error: PromptlossError): void {
    process.stderr.write(`${ink.red("error:")} ${error.message}\n`);
    if (error.hint !== undefined) process.stderr.write(`${ink.dim("hint:")} ${error.hint}\n`);
    if (!this.#isTerminal) process.exitCode = 1;
  }
}
