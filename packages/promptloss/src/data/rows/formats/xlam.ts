// xLAM's rows: a query, the tools that may be called and the calls that answer it, the latter two as JSON text.
import { RowProblem } from "../data-error.ts";
import { isBlankText, type RowFields, wrongType } from "./fields.ts";
import { conversation, type Draft, type RowFormat, type Told } from "./row-format.ts";
import { parseToolCalls, rowTools } from "./tools.ts";
import { part, plainTurn, systemTurn, turn } from "./turns.ts";
import { checkColumns, UNSUPPORTED_COLUMNS } from "./unsupported.ts";

export const xlam: RowFormat = {
  name: "xlam",
  required: ["query", "answers", "tools"],
  optional: ["system", "functions", "parallel_tool_calls", ...UNSUPPORTED_COLUMNS],
  parse(row: RowFields, told: Told): Draft {
    checkColumns(row);
    const query = row.text("query");
    if (isBlankText(query))
      throw new RowProblem("empty-prompt", "the query is empty", {
        field: row.column("query") ?? undefined,
      });
    row.require("tools");
    const field = row.column("answers") ?? "answers";
    const answers = row.json("answers") ?? row.require("answers");
    if (!Array.isArray(answers)) throw wrongType("a list of calls", answers, field);
    if (answers.length === 0)
      throw new RowProblem("empty-completion", "there is no call in it", {
        field,
        hint: 'Leave out and count such rows with emptyCompletions: "skip".',
      });
    const toolCalls = parseToolCalls(answers, field, field, told);
    const turns = [
      ...systemTurn(row),
      plainTurn("user", query),
      turn("assistant", [part("completion", "")], undefined, { toolCalls }),
    ];
    return conversation(turns, row, rowTools(row, turns, told));
  },
};
