// Prompts from arguments, files and standard input.
import { buffer, text } from "node:stream/consumers";
import { decodeText, readTextFile } from "../../data/rows/index.ts";
import { PromptlossError } from "../../errors.ts";
import { GenerationError, type TextPrompt, type ToolMessage } from "../../generation/index.ts";
import { checkPrompt } from "../../generation/text/prompts.ts";

export interface PromptSources {
  readonly given: readonly string[];
  /** Each a text file with a prompt a line, or JSON or JSON lines; "-" is standard input. */
  readonly files: readonly string[];
  /** All of standard input is one prompt. */
  readonly stdin: boolean;
  /** Before every prompt that has none of its own. */
  readonly system: string | undefined;
}

/** @throws {PromptlossError} naming file and row */
export async function readPrompts({ given, files, stdin, system }: PromptSources): Promise<TextPrompt[]> {
  if (stdin && files.includes("-"))
    throw new PromptlossError("--stdin and --file - both read standard input", { hint: "give one of them" });
  const prompts: TextPrompt[] = [...given];
  for (const file of files) prompts.push(...parsePrompts(await contentOf(file), file));
  if (stdin) prompts.push((await text(process.stdin)).replace(/\r?\n$/, ""));
  if (prompts.length === 0)
    throw new PromptlossError("there is no prompt", {
      hint: "give prompts as arguments, in a file (--file) or on standard input (--stdin)",
    });
  return system === undefined ? prompts : prompts.map((prompt) => withSystem(prompt, system));
}

async function contentOf(file: string): Promise<string> {
  return file === "-" ? decodeText(await buffer(process.stdin), "standard input") : readTextFile(file);
}

/** A JSON list, JSON lines where the first line is an object, or a prompt a line; blank lines are passed over. */
function parsePrompts(content: string, file: string): TextPrompt[] {
  const lines = content.split(/\r?\n|\r/);
  if (/^\s*\[/.test(content) && /\]\s*$/.test(content) && /\.json$/i.test(file)) {
    const rows = parseJson(content, file) as unknown[];
    return rows.map((row, i) => checkedPrompt(row, `${file}, row ${i + 1}`));
  }
  const filled = lines.map((line, i) => ({ line, where: `${file}, line ${i + 1}` }));
  const wanted = filled.filter(({ line }) => line.trim() !== "");
  if (wanted[0]?.line.trimStart().startsWith("{") !== true) return wanted.map(({ line }) => line);
  return wanted.map(({ line, where }) => checkedPrompt(parseJson(line, where), where));
}

function parseJson(content: string, where: string): unknown {
  try {
    return JSON.parse(content);
  } catch (cause) {
    throw new PromptlossError(`${where}: is not JSON: ${(cause as Error).message}`, { cause });
  }
}

function checkedPrompt(row: unknown, where: string): TextPrompt {
  const prompt = promptOf(row, where);
  try {
    checkPrompt(prompt, 0);
  } catch (error) {
    if (!(error instanceof GenerationError)) throw error;
    throw new PromptlossError(error.message.replace("prompts: prompt 1", where), { hint: error.hint });
  }
  return prompt;
}

/** Rows as data for training has them: what they hold beside the prompt is left alone. */
function promptOf(row: unknown, where: string): TextPrompt {
  if (typeof row === "string") return row;
  const {
    instruction,
    input,
    system,
    prompt,
    messages,
    tools,
    text: plain,
  } = (row ?? {}) as Record<string, unknown>;
  const isText = (value: unknown): value is string | null | undefined =>
    value === undefined || value === null || typeof value === "string";
  const list = messages ?? (Array.isArray(prompt) ? prompt : undefined);
  if (Array.isArray(list)) {
    const turns = list as ToolMessage[];
    return {
      messages: turns.at(-1)?.role === "assistant" ? turns.slice(0, -1) : turns,
      ...toolsOf(tools, where),
    };
  }
  const words = instruction ?? prompt;
  if (typeof words === "string" && isText(input) && isText(system))
    return { instruction: words, ...(input && { input }), ...(system && { system }) };
  if (typeof plain === "string") return { text: plain };
  throw new PromptlossError(`${where}: there is no prompt`, {
    hint: "a row has instruction (input, system), prompt, messages or text",
  });
}

/** A list, or JSON text of one, as data has it. */
function toolsOf(value: unknown, where: string): { tools?: readonly unknown[] } {
  if (value === undefined || value === null) return {};
  try {
    const tools: unknown = typeof value === "string" ? JSON.parse(value) : value;
    if (Array.isArray(tools)) return { tools };
  } catch {}
  throw new PromptlossError(`${where}: tools is no list of functions`, {
    hint: "as in OpenAI's files: [{ type: function, function: { name, description, parameters } }]",
  });
}

function withSystem(prompt: TextPrompt, system: string): TextPrompt {
  if (typeof prompt === "string") return { instruction: prompt, system };
  if ("instruction" in prompt) return { system, ...prompt };
  if (!("messages" in prompt)) return prompt;
  const has = prompt.messages[0]?.role === "system";
  return has ? prompt : { ...prompt, messages: [{ role: "system", content: system }, ...prompt.messages] };
}
