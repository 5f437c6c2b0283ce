// Dragging over a chart chooses a range of its x axis, a double click gives all of it back. With a fine pointer alone: on
// touch screens a drag scrolls the page.
import type { ECharts } from "./engine.ts";
import type { Range } from "./range.ts";

/** Pixels; a shorter drag is a click. */
const LEAST = 6;

export function zoomable(chart: ECharts, onRange: (range: Range | undefined) => void): void {
  if (!matchMedia("(pointer: fine)").matches) return;
  const canvas = chart.getZr();
  const veil = document.createElement("div");
  veil.className = "veil";
  veil.hidden = true;
  chart.getDom().append(veil);
  let start: number | undefined;
  const end = (): void => {
    start = undefined;
    veil.hidden = true;
  };
  canvas.on("mousedown", ({ offsetX, offsetY }) => {
    if (chart.containPixel("grid", [offsetX, offsetY])) start = offsetX;
  });
  canvas.on("mousemove", ({ offsetX }) => {
    if (start === undefined) return;
    veil.hidden = false;
    veil.style.left = `${Math.min(start, offsetX)}px`;
    veil.style.width = `${Math.abs(offsetX - start)}px`;
  });
  canvas.on("mouseup", ({ offsetX }) => {
    if (start !== undefined && Math.abs(offsetX - start) >= LEAST) {
      const valueAt = (x: number): number => Number(chart.convertFromPixel({ xAxisIndex: 0 }, x));
      onRange({ from: valueAt(Math.min(start, offsetX)), to: valueAt(Math.max(start, offsetX)) });
    }
    end();
  });
  canvas.on("globalout", end);
  canvas.on("dblclick", () => onRange(undefined));
}
