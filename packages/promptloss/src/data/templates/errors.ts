// What can go wrong when a conversation is laid out as text: a bad template, or a row that it cannot take.
import { PromptlossError, type PromptlossErrorOptions } from "../../errors.ts";
import type { RowSource } from "../example.ts";

export interface TemplateErrorOptions extends PromptlossErrorOptions {
  /** The row at fault; left out where the template itself is. */
  source?: RowSource | undefined;
}

/** A template that cannot be used, or (with `source`) a row that the template cannot take. */
export class TemplateError extends PromptlossError {
  readonly template: string;
  readonly source: RowSource | undefined;

  constructor(template: string, message: string, options: TemplateErrorOptions = {}) {
    const { source } = options;
    const where = source === undefined ? "" : `${source.file}, row ${source.row}: `;
    super(`${where}template ${template}: ${message}`, options);
    this.template = template;
    this.source = source;
  }
}
