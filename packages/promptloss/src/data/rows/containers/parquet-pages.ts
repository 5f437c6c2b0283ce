// One column chunk of a Parquet file, page by page, so that a row group of a million rows needs the memory of a
// few pages. hyparquet decodes the pages; of its modules this uses ones below its front door, hence its exact
// version in package.json. parquetReadObjects, which reads whole row groups, is the reference in the tests.
import type { AsyncBuffer, ColumnMetaData, DecodedArray } from "hyparquet";
import { parquetHeader, readPage } from "hyparquet/src/column.js";
import { convert, DEFAULT_PARSERS } from "hyparquet/src/convert.js";
import { getMaxRepetitionLevel, getTreePath } from "hyparquet/src/schema.js";
import type { ColumnDecoder, PageHeader, ParquetParsers, SchemaTree } from "hyparquet/src/types.js";
import { compressors } from "hyparquet-compressors";

/** Bytes read in the hope that a page's header is in them; grown where its statistics are longer. */
const HEADER_BYTES = 4096;

/** Bytes that a value takes at least once it is decoded: a page of few bytes may repeat one a billion times. */
const VALUE_BYTES = 8;

export interface PageSource {
  readonly file: AsyncBuffer;
  readonly schema: SchemaTree;
  /** The most that a page may hold, unpacked and decoded. */
  readonly maxPageBytes: number;
}

export class ColumnPages {
  readonly path: string[];
  readonly #file: AsyncBuffer;
  readonly #decoder: ColumnDecoder;
  readonly #repeated: boolean;
  readonly #end: number;
  readonly #most: number;
  #offset: number;
  #dictionary: DecodedArray | undefined;
  /** Decoded rows that weren't taken yet. */
  #ready: DecodedArray[] = [];
  #readyRows = 0;
  #taken = 0;
  /** The last row of a repeated column: the next page may go on with it. */
  #open: unknown[] | undefined;

  constructor(
    { file, schema, maxPageBytes }: PageSource,
    metadata: ColumnMetaData,
    parsers: Partial<ParquetParsers>,
  ) {
    const schemaPath = getTreePath(schema, metadata.path_in_schema);
    this.path = metadata.path_in_schema;
    this.#file = file;
    this.#most = maxPageBytes;
    this.#repeated = getMaxRepetitionLevel(schemaPath) > 0;
    this.#decoder = {
      ...metadata,
      pathInSchema: metadata.path_in_schema,
      schemaPath,
      element: schemaPath.at(-1)!.element,
      compressors,
      parsers: { ...DEFAULT_PARSERS, ...parsers },
    };
    const first = metadata.dictionary_page_offset || metadata.data_page_offset;
    this.#offset = Number(first < metadata.data_page_offset ? first : metadata.data_page_offset);
    this.#end = this.#offset + Number(metadata.total_compressed_size);
  }

  /** The next `count` rows, or those that are left. */
  async take(count: number): Promise<unknown[]> {
    while (this.#readyRows < count && (await this.#readNextPage()));
    const rows: unknown[] = [];
    while (rows.length < count && this.#ready.length > 0) {
      const page = this.#ready[0]!;
      const end = Math.min(page.length, this.#taken + count - rows.length);
      for (let i = this.#taken; i < end; i++) rows.push(page[i]);
      this.#taken = end;
      if (end < page.length) break;
      this.#ready.shift();
      this.#taken = 0;
    }
    this.#readyRows -= rows.length;
    return rows;
  }

  async #readNextPage(): Promise<boolean> {
    if (this.#offset >= this.#end) {
      if (this.#open === undefined) return false;
      this.#add(this.#open);
      this.#open = undefined;
      return true;
    }
    const { header, length } = await this.#readHeader();
    const bytes = Math.max(header.uncompressed_page_size, VALUE_BYTES * (valuesIn(header) ?? 0));
    if (!(bytes <= this.#most))
      throw new Error(
        `a page of ${this.path.join(".")} unpacks to ${bytes.toLocaleString("en-US")} bytes, ` +
          `and ${this.#most.toLocaleString("en-US")} are read at most`,
      );
    const start = this.#offset + length;
    this.#offset = start + header.compressed_page_size;
    const body = await this.#file.slice(start, this.#offset);
    if (body.byteLength < header.compressed_page_size) throw new Error("a page ends beyond the file");
    const reader = { view: new DataView(body), offset: 0 };
    if (header.type === "DICTIONARY_PAGE") {
      const { data } = readPage(reader, header, this.#decoder, undefined, undefined, 0);
      if (data !== undefined) this.#dictionary = convert(data, this.#decoder);
      return true;
    }
    // A page without values, which some writers end a chunk with, leaves an open row as it is.
    if (valuesIn(header) === 0) return true;
    const { data } = readPage(reader, header, this.#decoder, this.#dictionary, this.#open as DecodedArray, 0);
    if (data === undefined) return true;
    // hyparquet appends a repeated column's rows to the array that it is given, and goes on with its last row.
    if (this.#repeated && Array.isArray(data)) this.#open = data.splice(-1);
    this.#add(data);
    return true;
  }

  #add(rows: DecodedArray): void {
    if (rows.length > 0) this.#ready.push(rows);
    this.#readyRows += rows.length;
  }

  async #readHeader(): Promise<{ header: PageHeader; length: number }> {
    for (let size = HEADER_BYTES; ; size *= 8) {
      const end = Math.min(this.#offset + size, this.#end);
      const reader = { view: new DataView(await this.#file.slice(this.#offset, end)), offset: 0 };
      try {
        const header = parquetHeader(reader);
        return { header, length: reader.offset };
      } catch (error) {
        if (end === this.#end) throw error;
      }
    }
  }
}

function valuesIn(header: PageHeader): number | undefined {
  const { data_page_header: v1, data_page_header_v2: v2, dictionary_page_header: dictionary } = header;
  return (v1 ?? v2 ?? dictionary)?.num_values;
}
