// Ollama's Modelfile for a GGUF file: which file, how a chat is laid out, and what ends an answer. Ollama's templates are
// Go's; ours is rendered with marks in the place of the texts, and what stands around them is taken over.
import { plainTurn } from "../../data/rows/formats/turns.ts";
import { type Template, TemplateError } from "../../data/templates/index.ts";
import type { Tokenizer } from "../../data/tokenizer/index.ts";
import { templateStop } from "./template-stop.ts";

const [SYSTEM, USER] = ["promptlossSystemMark", "promptlossUserMark"];

export interface Modelfile {
  readonly text: string;
  readonly notes: readonly string[];
}

/**
 * @param file what FROM names: a path from where the Modelfile lies
 * @param adapter what ADAPTER names, where the file is the base model's
 */
export function modelfileOf(
  file: string,
  template: Template,
  tokenizer: Tokenizer,
  { adapter }: { adapter?: string | undefined } = {},
): Modelfile {
  const end = templateStop(template) ?? "";
  const layout = layoutOf(template, tokenizer, end);
  const stops = new Set([end, ...[...tokenizer.stopIds].map((id) => tokenizer.tokenOf(id) ?? "")]);
  stops.delete("");
  const lines = [
    `FROM ${file}`,
    ...(adapter === undefined ? [] : [`ADAPTER ${adapter}`]),
    ...(layout === undefined ? [] : [`TEMPLATE """${layout}"""`]),
    ...[...stops].map((stop) => `PARAMETER stop ${JSON.stringify(stop)}`),
  ];
  const notes =
    layout === undefined
      ? ["the chat template does not keep its texts apart, so the Modelfile leaves it to the GGUF file"]
      : [];
  return { text: `${lines.join("\n")}\n`, notes };
}

/** Undefined for a template whose text does not hold what it is given, or that a Modelfile can't quote. */
function layoutOf(template: Template, tokenizer: Tokenizer, end: string): string | undefined {
  const alone = around(rendered(template, tokenizer, [plainTurn("user", USER)]), [USER]);
  if (alone === undefined) return undefined;
  const [before, after] = alone.map(literal) as [string, string];
  const both = around(rendered(template, tokenizer, [plainTurn("system", SYSTEM), plainTurn("user", USER)]), [
    SYSTEM,
    USER,
  ]);
  const answer = `{{ .Response }}${literal(end)}`;
  if (both === undefined) return quotable(`${before}{{ .Prompt }}${after}${answer}`);
  const [first, between, last] = both.map(literal) as [string, string, string];
  const system = `{{ if .System }}${first}{{ .System }}${between}{{ .Prompt }}${last}`;
  return quotable(`${system}{{ else }}${before}{{ .Prompt }}${after}{{ end }}${answer}`);
}

function quotable(layout: string): string | undefined {
  return layout.includes('"""') ? undefined : layout;
}

type Turns = Parameters<Template["renderPrompt"]>[0];

/** Without a BOS that the file has Ollama put before a text anyway. */
function rendered(template: Template, tokenizer: Tokenizer, turns: Turns): string | undefined {
  try {
    const { text } = template.renderPrompt(turns);
    const { bos } = tokenizer.special;
    const doubled = bos !== undefined && tokenizer.prefixIds[0] === tokenizer.bosId && text.startsWith(bos);
    return doubled ? text.slice(bos.length) : text;
  } catch (error) {
    // Some templates refuse a system turn.
    if (error instanceof TemplateError) return undefined;
    throw error;
  }
}

/** What stands before, between and after marks; undefined where one is missing or comes twice. */
function around(text: string | undefined, marks: readonly string[]): string[] | undefined {
  if (text === undefined) return undefined;
  const parts: string[] = [];
  let rest = text;
  for (const mark of marks) {
    const [before, after, ...more] = rest.split(mark);
    if (after === undefined || more.length > 0) return undefined;
    parts.push(before!);
    rest = after;
  }
  return [...parts, rest];
}

/** Text that Go's templates write as it stands. */
function literal(text: string): string {
  return text.replaceAll("{{", '{{ "{{" }}');
}
