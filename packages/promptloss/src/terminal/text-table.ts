// Lays cells out in aligned columns of plain text.

export type Alignment = "left" | "right";

/** Lines of a table, columns two spaces apart, no trailing blanks. Every row has as many cells as `alignments`. */
export function textTable(rows: readonly (readonly string[])[], alignments: readonly Alignment[]): string[] {
  const widths = alignments.map((_, k) => Math.max(...rows.map((row) => row[k]!.length)));
  return rows.map((row) =>
    row
      .map((cell, k) => (alignments[k] === "left" ? cell.padEnd(widths[k]!) : cell.padStart(widths[k]!)))
      .join("  ")
      .trimEnd(),
  );
}
