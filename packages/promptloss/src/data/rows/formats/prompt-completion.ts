// Prompt and completion: two texts, or two lists of messages as TRL's conversational kind has them. Assistant
// messages in the prompt are context: their parts have the class of prompt, so that no policy trains them.
import type { Turn } from "../../example.ts";
import { RowProblem } from "../data-error.ts";
import { checkCompletion, isBlankText, type RowFields, wrongType } from "./fields.ts";
import { parseMessages } from "./messages.ts";
import { conversation, type Draft, type RowFormat, type Told } from "./row-format.ts";
import { rowTools, TOOL_FIELDS } from "./tools.ts";
import { checkOrder, checkTexts, part, plainTurn, systemTurn, turn } from "./turns.ts";
import { checkColumns, UNSUPPORTED_COLUMNS } from "./unsupported.ts";

export const promptCompletion: RowFormat = {
  name: "prompt-completion",
  required: ["prompt", "completion"],
  optional: ["system", ...TOOL_FIELDS, ...UNSUPPORTED_COLUMNS],
  parse(row: RowFields, told: Told): Draft {
    checkColumns(row);
    const isList = (field: string): boolean => Array.isArray(row.require(field));
    if (!isList("prompt") && !isList("completion")) {
      checkColumns(row, TOOL_FIELDS);
      return conversation(textTurns(row), row);
    }
    const turns = messageTurns(row, told);
    return conversation(turns, row, rowTools(row, turns, told));
  },
};

function textTurns(row: RowFields): Turn[] {
  const prompt = row.text("prompt");
  if (isBlankText(prompt)) {
    throw new RowProblem("empty-prompt", "the prompt is empty", {
      field: row.column("prompt") ?? undefined,
      hint: "For texts without a prompt, use the format text.",
    });
  }
  const completion = checkCompletion(row.text("completion"), row.column("completion") ?? "completion", row);
  return [...systemTurn(row), plainTurn("user", prompt), plainTurn("assistant", completion)];
}

function messageTurns(row: RowFields, told: Told): Turn[] {
  for (const field of ["prompt", "completion"] as const) {
    const value = row.require(field);
    if (!Array.isArray(value)) throw wrongType("a list of messages, as the other field is,", value, field);
  }
  const [promptField, completionField] = [row.column("prompt")!, row.column("completion")!];
  const prompt = parseMessages(row.list("prompt"), promptField, told).map(asContext);
  const completion = parseMessages(row.list("completion"), completionField, told);
  if (prompt.length === 0) {
    throw new RowProblem("empty-prompt", "the prompt has no messages", { field: promptField });
  }
  if (completion.length === 0) {
    throw new RowProblem("empty-completion", "the completion has no messages", { field: completionField });
  }
  const turns = [...systemTurn(row), ...prompt, ...completion];
  checkOrder(turns, completionField);
  checkTexts(turns, completionField, row);
  return turns;
}

function asContext(message: Turn): Turn {
  return message.role === "assistant"
    ? turn(
        "assistant",
        message.parts.map(({ text, weight }) => part("input", text, weight)),
        message.weight,
        message,
      )
    : message;
}
