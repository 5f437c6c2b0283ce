// The formats, by name.
import { alpaca } from "./alpaca.ts";
import { messages, sharegpt } from "./messages.ts";
import { promptCompletion } from "./prompt-completion.ts";
import type { FormatName, RowFormat } from "./row-format.ts";
import { text } from "./text.ts";
import { tokens } from "./tokens.ts";
import { xlam } from "./xlam.ts";

export const FORMATS: readonly RowFormat[] = [
  alpaca,
  promptCompletion,
  messages,
  sharegpt,
  text,
  xlam,
  tokens,
];

export function formatNamed(name: FormatName): RowFormat {
  return FORMATS.find((format) => format.name === name)!;
}
