// Apache ECharts as a function from options to an SVG element: drawn without a browser, colored by the page's CSS
// variables so that one drawing serves light, dark and print. Knows nothing of studies.
import { CustomChart, LineChart, ScatterChart } from "echarts/charts";
import { GridComponent } from "echarts/components";
import { type EChartsCoreOption, init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { escaped, html, type Markup, raw } from "../html/markup.ts";

use([CustomChart, GridComponent, LineChart, ScatterChart, SVGRenderer]);

export interface Drawing {
  readonly option: EChartsCoreOption;
  /** In CSS pixels at a scale of 1. */
  readonly width: number;
  readonly height: number;
  /** What a reader who does not see the chart is told. */
  readonly alt: string;
  /** Text under the pointer, by series and item. */
  readonly tips?: readonly (readonly string[] | undefined)[];
}

/** How far a chart may grow beyond its own size. */
const LARGEST = 1.35;

export const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";

/** One SVG element. `id` makes the names inside it different from those of other drawings on the page. */
export function draw({ option, width, height, alt, tips = [] }: Drawing, id: string): Markup {
  const chart = init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    chart.setOption({ animation: false, textStyle: { fontFamily: FONT, fontSize: 12 }, ...option });
    const inside = chart
      .renderToSVGString()
      .replace(/^<svg[^>]*>/, "")
      .replace(/<\/svg>\s*$/, "")
      // Rules for the pointer, which a page without scripts has no use for.
      .replaceAll(/<style[\s\S]*?<\/style>/g, "")
      .replaceAll(/ class="zr[^"]*"/g, "")
      .replaceAll(/zr\d+-/g, `${id}-`);
    return html`<svg class="chart" viewBox="0 0 ${width} ${height}" style="max-width:${Math.round(width * LARGEST)}px" role="img" aria-label="${alt}">${raw(withTips(inside, tips))}</svg>`;
  } finally {
    chart.dispose();
  }
}

const MARK = /((?:<path|<image)[^>]*?) ecmeta_series_index="(\d+)" ecmeta_data_index="(\d+)"[^>]*?>/g;

/** ECharts says which item an element belongs to; its text becomes a title, and the hints go. */
function withTips(svg: string, tips: NonNullable<Drawing["tips"]>): string {
  return svg
    .replaceAll(MARK, (element, _open: string, series: string, item: string) => {
      const tip = tips[Number(series)]?.[Number(item)];
      return tip === undefined ? element : `${element}<title>${escaped(tip)}</title>`;
    })
    .replaceAll(/ ecmeta_\w+="[^"]*"/g, "");
}
