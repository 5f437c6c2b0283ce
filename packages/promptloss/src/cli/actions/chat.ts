// `promptloss chat`: a conversation with a model, in a terminal or over a pipe.
import { createInterface } from "node:readline";
import { PromptlossError } from "../../errors.ts";
import { Conversation, type TextGenerationOptions } from "../../generation/index.ts";
import { ink, lineOutput, linePrompt, product } from "../../terminal/index.ts";
import { errorLines } from "../errors.ts";
import { decodingOptions, inFlagNames, loadGenerator } from "../generation/load-generator.ts";
import type { DecodingFlags, ModelFlags } from "../generation/options.ts";
import { printNotes } from "../notes.ts";

interface Flags extends ModelFlags, DecodingFlags {
  system?: string;
}

/** New tokens of a completion where neither flag nor model says. */
const COMPLETION_LENGTH = 1024;

const HELP = "/reset begins anew · /exit leaves · Ctrl-C stops a completion";

class Chat {
  readonly #conversation: Conversation;
  readonly #options: TextGenerationOptions;
  readonly #isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
  #completing: AbortController | undefined;

  constructor(conversation: Conversation, options: TextGenerationOptions) {
    this.#conversation = conversation;
    this.#options = options;
  }

  async run(): Promise<void> {
    const reader = createInterface({
      input: process.stdin,
      terminal: this.#isTerminal,
      ...(this.#isTerminal && { output: lineOutput(), prompt: linePrompt(ink.bold("> ")) }),
    });
    const interrupt = (): void => {
      if (this.#completing !== undefined) this.#completing.abort();
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
    else await this.#complete(message);
  }

  async #complete(message: string): Promise<void> {
    this.#completing = new AbortController();
    let begun = false;
    try {
      const pieces = this.#conversation.say(message, { ...this.#options, signal: this.#completing.signal });
      for await (const { text } of pieces) {
        // Templates that leave the space before a completion to the model make every completion begin with one.
        process.stdout.write(product(begun ? text : text.trimStart()));
        begun ||= text.trim() !== "";
      }
      process.stdout.write(this.#completing.signal.aborted ? ` ${ink.dim("[stopped]")}\n` : "\n");
    } catch (error) {
      const known = inFlagNames(error);
      if (!(known instanceof PromptlossError)) throw error;
      this.#complain(known);
    } finally {
      this.#completing = undefined;
    }
  }

  /** What is wrong with a message leaves the conversation as it was; the exit code of a pipe tells of it. */
  #complain(error: PromptlossError): void {
    process.stderr.write(errorLines(error.message, error.hint));
    if (!this.#isTerminal) process.exitCode = 1;
  }
}

export async function runChat(path: string, flags: Flags): Promise<void> {
  using generator = await loadGenerator(path, flags);
  const { system } = flags;
  const conversation = new Conversation(generator, system === undefined ? {} : { system });
  const options = {
    ...(generator.defaults.maxNewTokens === undefined && { maxNewTokens: COMPLETION_LENGTH }),
    ...decodingOptions(flags),
  };
  const { name } = generator.template;
  if (!conversation.remembers)
    printNotes([`template ${name} is for one exchange: every message stands alone`]);
  await new Chat(conversation, options).run();
}
