// A drawing as a figure of the page: heading, chart, caption.
import { html, type Markup, type Part } from "../html/markup.ts";
import { type Drawing, draw } from "./engine.ts";

/** Draws one chart after the other, so that names inside them differ on one page and are the same in every run. */
export type Draw = (drawing: Drawing) => Markup;

export const drawer = (): Draw => {
  let drawn = 0;
  return (drawing) => draw(drawing, `c${drawn++}`);
};

export const figure = (title: Part, chart: Markup, caption: Part): Markup => html`
<figure><h4>${title}</h4>
${chart}
<figcaption>${caption}</figcaption></figure>`;
