// Writes a million Alpaca rows, some of them long, without holding them all.

import { once } from "node:events";
import { createWriteStream, writeFileSync } from "node:fs";
import { parquetWriteBuffer } from "hyparquet-writer";

const ROWS = 1_000_000;
/** Rows of a Parquet row group. */
const GROUP = 20_000;

interface Row {
  readonly instruction: string;
  readonly input: string;
  readonly output: string;
}

function rowOf(i: number): Row {
  return {
    instruction: `Write sentence number ${i} about the colour of stones.`,
    input: i % 3 === 0 ? `The stones lie in row ${i % 97}.` : "",
    output: `Stone ${i} is grey. `.repeat(1 + (i % 10 === 0 ? i % 40 : i % 7)).trim(),
  };
}

export async function writeMillion(file: string, kind: "jsonl" | "parquet"): Promise<void> {
  if (kind === "parquet") {
    const rows = Array.from({ length: ROWS }, (_, i) => rowOf(i));
    const column = (name: keyof Row) => ({
      name,
      data: rows.map((row) => row[name]),
      type: "STRING" as const,
    });
    const columnData = (["instruction", "input", "output"] as const).map(column);
    writeFileSync(file, Buffer.from(parquetWriteBuffer({ columnData, rowGroupSize: GROUP })));
    return;
  }
  const stream = createWriteStream(file);
  for (let i = 0; i < ROWS; i++)
    if (!stream.write(`${JSON.stringify(rowOf(i))}\n`)) await once(stream, "drain");
  stream.end();
  await once(stream, "finish");
}
