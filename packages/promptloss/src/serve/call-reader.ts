// Calls of functions in what a model writes: at the end, and while it writes.
import { randomBytes } from "node:crypto";
import { type CallForm, callMark, readCalls, StopStrings } from "../generation/index.ts";

/** A call as responses have it. */
export interface CallObject {
  readonly id: string;
  readonly type: "function";
  readonly function: { readonly name: string; readonly arguments: string };
}

export interface ReadMessage {
  readonly content: string;
  readonly calls: readonly CallObject[];
}

export class CallReader {
  readonly form: CallForm;
  readonly #names: ReadonlySet<string>;

  constructor(form: CallForm, names: ReadonlySet<string>) {
    this.form = form;
    this.#names = names;
  }

  /** What a text says and calls. What can't be read as calls of these functions is said. */
  read(text: string): ReadMessage {
    const read = readCalls(text, this.form, this.#names);
    if (read === undefined) return { content: text, calls: [] };
    const calls = read.calls.map((each) => ({
      id: `call_${randomBytes(12).toString("hex")}`,
      type: "function" as const,
      function: each,
    }));
    return { content: read.content, calls };
  }

  stream(): CallStream {
    return new CallStream(this);
  }
}

/** A text as it comes: words are passed on, what may be a call is held until the end. */
export class CallStream {
  readonly #reader: CallReader;
  readonly #mark: string;
  readonly #before: StopStrings;
  #text = "";
  #passed = 0;

  constructor(reader: CallReader) {
    this.#reader = reader;
    this.#mark = callMark(reader.form);
    this.#before = new StopStrings(this.#mark === "" ? [] : [this.#mark]);
  }

  /** @returns the words that can be no call any more */
  push(piece: string): string {
    this.#text += piece;
    if (this.#mark === "") {
      const start = this.#text.trimStart();
      if (start === "" || start.startsWith("{")) return "";
      const words = this.#text.slice(this.#passed);
      this.#passed = this.#text.length;
      return words;
    }
    const { text } = this.#before.push(piece);
    this.#passed += text.length;
    return text;
  }

  /** @returns the words that were held in vain, and the calls */
  end(): ReadMessage {
    const { calls } = this.#reader.read(this.#text);
    return { content: calls.length > 0 ? "" : this.#text.slice(this.#passed), calls };
  }
}
