// A conversation: what was said so far goes before each message. A template for one exchange has no place for that;
// with such a one every message stands alone.
import { plainTurn } from "../../data/rows/formats/turns.ts";
import { TemplateError } from "../../data/templates/index.ts";
import type { ChatTurn } from "./prompts.ts";
import type { TextPiece } from "./sequence-text.ts";
import type { GeneratedText, TextGenerationOptions, TextGenerator } from "./text-generator.ts";

export interface ConversationOptions {
  /** What the model is told before all. */
  readonly system?: string;
}

export class Conversation {
  /** Whether the template takes more than one exchange. */
  readonly remembers: boolean;
  readonly #generator: TextGenerator;
  readonly #system: readonly ChatTurn[];
  #turns: readonly ChatTurn[] = [];

  constructor(generator: TextGenerator, { system = "" }: ConversationOptions = {}) {
    this.#generator = generator;
    this.#system = system === "" ? [] : [{ role: "system", content: system }];
    this.remembers = takesTwoExchanges(generator);
  }

  /** All that was said, the system's words first. */
  get turns(): readonly ChatTurn[] {
    return [...this.#system, ...this.#turns];
  }

  /** Forgets all but the system's words. */
  reset(): void {
    this.#turns = [];
  }

  /**
   * Says something. The completion, or as much of it as there was when the signal ended it, becomes part of the
   * conversation; after an error it is as it was.
   */
  async *say(
    message: string,
    options: Omit<TextGenerationOptions, "sequences" | "onText"> = {},
  ): AsyncGenerator<TextPiece, GeneratedText> {
    const turns: ChatTurn[] = [...(this.remembers ? this.#turns : []), { role: "user", content: message }];
    const result = yield* this.#generator.stream({ messages: [...this.#system, ...turns] }, options);
    const completion = result.sequences[0]!;
    this.#turns = [...turns, { role: "assistant", content: completion.text }];
    return completion;
  }
}

function takesTwoExchanges({ template }: TextGenerator): boolean {
  const exchange = [plainTurn("user", "?"), plainTurn("assistant", "!")];
  try {
    template.renderPrompt([...exchange, plainTurn("user", "?")]);
    return true;
  } catch (error) {
    if (error instanceof TemplateError) return false;
    throw error;
  }
}
