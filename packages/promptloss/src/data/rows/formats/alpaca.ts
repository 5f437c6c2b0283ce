// Alpaca rows: instruction, input, output; and the system and history that later data sets of the format carry.
// An input that is empty, null or missing is no input, as in Stanford's own program.
import type { Part, Turn } from "../../example.ts";
import { RowProblem } from "../data-error.ts";
import { asText, checkCompletion, isBlankText, type RowFields, wrongType } from "./fields.ts";
import { conversation, type Draft, type RowFormat } from "./row-format.ts";
import { part, plainTurn, systemTurn, turn } from "./turns.ts";
import { checkColumns, TOOL_COLUMNS, UNSUPPORTED_COLUMNS } from "./unsupported.ts";

const REFUSED = [...TOOL_COLUMNS, ...UNSUPPORTED_COLUMNS];

export const alpaca: RowFormat = {
  name: "alpaca",
  required: ["instruction", "output"],
  optional: ["input", "system", "history", ...REFUSED],
  parse(row: RowFields): Draft {
    checkColumns(row, REFUSED);
    const instruction = row.text("instruction");
    const input = row.optionalText("input") ?? "";
    if (isBlankText(instruction) && isBlankText(input)) {
      throw new RowProblem("empty-prompt", "the instruction is empty, and there is no input", {
        field: row.column("instruction") ?? undefined,
      });
    }
    const output = checkCompletion(row.text("output"), row.column("output") ?? "output", row);
    const prompt: Part[] = [part("instruction", instruction)];
    if (input !== "") prompt.push(part("input", input));
    const turns = [
      ...systemTurn(row),
      ...historyTurns(row),
      turn("user", prompt),
      plainTurn("assistant", output),
    ];
    return conversation(turns, row);
  },
};

/** Earlier exchanges: a list of [instruction, output]. */
function historyTurns(row: RowFields): Turn[] {
  return (row.optionalList("history") ?? []).flatMap((exchange, i) => {
    const field = `history[${i}]`;
    if (!Array.isArray(exchange) || exchange.length !== 2) {
      throw wrongType("a pair [instruction, output]", exchange, field);
    }
    const [question, answer] = exchange.map((text, j) => asText(text, `${field}[${j}]`)) as [string, string];
    return [plainTurn("user", question), plainTurn("assistant", checkCompletion(answer, `${field}[1]`, row))];
  });
}
