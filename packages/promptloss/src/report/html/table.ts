// A table of the page, in a box that scrolls by itself where a screen is too narrow for it. Pure.
import { html, type Markup, type Part } from "./markup.ts";

export interface Column {
  readonly name: Part;
  /** Numbers stand at the right. */
  readonly number?: boolean;
}

/** The first cell of each row is its header. */
export function table(
  caption: string,
  columns: readonly Column[],
  rows: readonly (readonly Part[])[],
): Markup {
  const align = (i: number): Part => columns[i]?.number && html` class="number"`;
  return html`<div class="wide" tabindex="0" role="region" aria-label="${caption}"><table>
<caption>${caption}</caption>
<thead><tr>${columns.map(({ name }, i) => html`<th scope="col"${align(i)}>${name}</th>`)}</tr></thead>
<tbody>${rows.map(
    (cells) => html`
<tr>${cells.map((cell, i) => (i === 0 ? html`<th scope="row">${cell}</th>` : html`<td${align(i)}>${cell}</td>`))}</tr>`,
  )}</tbody>
</table></div>`;
}
