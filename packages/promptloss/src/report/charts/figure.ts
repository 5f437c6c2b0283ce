// Drawings as numbered figures of the page: heading, chart, caption.
import { html, type Markup, type Part } from "../html/markup.ts";
import { type Drawing, draw } from "./engine.ts";

/** Draws one chart after the other, so that names inside them differ on one page and are the same in every run. */
export interface Draw {
  (drawing: Drawing): Markup;
  /** A figure, numbered in the order of calls. */
  readonly figure: (parts: FigureParts) => Markup;
}

export interface FigureParts {
  readonly title: Part;
  readonly chart: Part;
  readonly caption: Part;
  /** Of the heading: one below what it stands under. */
  readonly level: 3 | 4;
  readonly className?: string;
}

export function drawer(): Draw {
  let drawn = 0;
  let figures = 0;
  const figure = ({ title, chart, caption, level, className }: FigureParts): Markup => {
    figures++;
    const text = html`<span class="count">Figure ${figures}.</span> ${title}`;
    const heading = level === 3 ? html`<h3>${text}</h3>` : html`<h4>${text}</h4>`;
    return html`
<figure id="figure-${figures}"${className !== undefined && html` class="${className}"`}>${heading}
${chart}
<figcaption>${caption}</figcaption></figure>`;
  };
  return Object.assign((drawing: Drawing) => draw(drawing, `c${drawn++}`), { figure });
}
