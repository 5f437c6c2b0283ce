// HTML as values: a template tag that escapes whatever is put into it, unless it is markup itself. So nothing that
// comes from a study's files can become an element or an attribute.

/** Text that is HTML already. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

/** What a template takes; undefined and false leave nothing behind. */
export type Part = Markup | string | number | undefined | false | readonly Part[];

export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(strings.map((text, i) => (i === 0 ? text : written(parts[i - 1]) + text)).join(""));
}

/** For text of our own making, and of the chart library's, which escapes by itself. */
export function raw(text: string): Markup {
  return new Markup(text);
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
  // No HTML document may hold it.
  "\0": "\ufffd",
};

/** Safe between tags and within quoted attributes. */
export function escaped(text: string): string {
  return text.replaceAll(/[&<>"'\0]/g, (character) => entities[character]!);
}

function written(part: Part): string {
  if (part === undefined || part === false) return "";
  if (part instanceof Markup) return part.text;
  return Array.isArray(part) ? part.map(written).join("") : escaped(String(part));
}
