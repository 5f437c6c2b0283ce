// Lines as wide as the terminal, broken between words; what follows a break is indented a little more than its line.

/** Columns of a terminal; undefined where the output is none, whose lines are left as they are. */
export function columnsOf(out: { readonly isTTY?: boolean; readonly columns?: number }): number | undefined {
  return out.isTTY === true ? out.columns : undefined;
}

const HANGING = 2;

/** @param columns at which lines are broken; undefined for not at all. Words that are longer stay whole. */
export function wrapped(text: string, columns: number | undefined): string {
  return columns === undefined
    ? text
    : text
        .split("\n")
        .map((line) => wrappedLine(line, columns))
        .join("\n");
}

function wrappedLine(line: string, columns: number): string {
  if (line.length <= columns) return line;
  const before = /^\s*/.exec(line)![0];
  const hanging = " ".repeat(before.length + HANGING);
  const lines: string[] = [];
  let current = before;
  for (const word of line.slice(before.length).split(" ")) {
    const isFirst = current.trim() === "";
    if (!isFirst && current.length + 1 + word.length > columns) {
      lines.push(current.trimEnd());
      current = hanging + word;
    } else current += isFirst ? word : ` ${word}`;
  }
  return [...lines, current].join("\n");
}
