// A drawing as a figure of the page: heading, chart, caption.
import { html, type Markup, type Part } from "../html/markup.ts";
import { type Drawing, draw } from "./engine.ts";

/** Draws one chart after the other, so that names inside them differ on one page and are the same in every run. */
export type Draw = (drawing: Drawing) => Markup;

export const drawer = (): Draw => {
  let drawn = 0;
  return (drawing) => draw(drawing, `c${drawn++}`);
};

/** @param level of the heading: one below what it stands under */
export const figure = (title: Part, chart: Markup, caption: Part, level: 3 | 4): Markup => {
  const heading = level === 3 ? html`<h3>${title}</h3>` : html`<h4>${title}</h4>`;
  return html`
<figure>${heading}
${chart}
<figcaption>${caption}</figcaption></figure>`;
};
