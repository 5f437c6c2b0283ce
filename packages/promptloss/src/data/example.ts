// What a row of any format becomes: an Example of turns, or a row that arrives already tokenized.
// Plain frozen data; nothing here knows about files, templates or tokenizers.

export type Role = "system" | "user" | "assistant" | "tool";

/**
 * What a part of a turn is to the loss. `completion` and `reasoning` are what an assistant writes; `tool-result` is what a
 * tool gave back; the others are prompt, `tool-definition` among them: definitions that a system message spells out.
 */
export type PartClass =
  | "system"
  | "instruction"
  | "input"
  | "completion"
  | "reasoning"
  | "tool-definition"
  | "tool-result";

/** A run of text inside a turn. */
export interface Part {
  readonly class: PartClass;
  readonly text: string;
  /** Overrides the weight that the part's class would get. A finite number, 0 or more. */
  readonly weight?: number;
}

/** A function that an assistant calls. */
export interface ToolCall {
  readonly id?: string;
  readonly name: string;
  /** An object as JSON text, as the data has it: numbers and the order of keys are what a template writes. */
  readonly arguments: string;
}

export interface Turn {
  readonly role: Role;
  /** At least one part. Together they are the message's content. */
  readonly parts: readonly Part[];
  /**
   * The weight of the whole turn, a finite number, 0 or more: of its parts that have none of their own, and a factor on
   * the class's weight of all that a template writes for the turn, its stop token among it.
   */
  readonly weight?: number;
  /** Of an assistant: what it thought first, where the row keeps it apart from the content. */
  readonly reasoning?: string;
  /** Of an assistant: at least one. */
  readonly toolCalls?: readonly ToolCall[];
  /** Of a tool's result: the call that it answers, and the function's name, where the row says so. */
  readonly toolCallId?: string;
  readonly name?: string;
}

/** Where a row comes from: the file as the user named it and the row's number, counted from 1. */
export interface RowSource {
  readonly file: string;
  readonly row: number;
  /** Rows of one group are about one thing, a document or a person: held-out rows are drawn by whole groups. */
  readonly group?: string;
}

/** A conversation with at least one assistant turn. Alpaca and prompt/completion rows are two turns. */
export interface ConversationExample {
  readonly kind: "conversation";
  readonly turns: readonly Turn[];
  /** The functions that may be called, each an object as JSON text; at least one. */
  readonly tools?: readonly string[];
  /** Multiplies the weights of all the row's tokens. A finite number, 0 or more; 1 when left out. */
  readonly weight?: number;
  readonly source: RowSource;
}

/** Plain text: all of it is completion, for pretraining. */
export interface TextExample {
  readonly kind: "text";
  readonly text: string;
  readonly weight?: number;
  readonly source: RowSource;
}

/** A row that arrives tokenized, as TRL takes them; exactly one of the two masks. */
export interface TokenExample {
  readonly kind: "tokens";
  readonly inputIds: Int32Array;
  /** 1 where the token is completion, 0 where it is prompt. Length: that of `inputIds`. */
  readonly completionMask?: Uint8Array;
  /** One weight a token. Length: that of `inputIds`. */
  readonly weights?: Float32Array;
  readonly weight?: number;
  readonly source: RowSource;
}

export type Example = ConversationExample | TextExample | TokenExample;

/**
 * The classes that a token can have after rendering; the index in this list is its code in a token array. The bodies of
 * tool definitions, results, calls and of reasoning have classes of their own; the marks around them are `template` where
 * the model reads them, and `completion` where it writes them itself.
 */
export const TOKEN_CLASSES = [
  "system",
  "instruction",
  "input",
  "template",
  "completion",
  "end",
  "tool-definition",
  "tool-result",
  "reasoning",
  "tool-call",
] as const;

export type TokenClass = (typeof TOKEN_CLASSES)[number];
