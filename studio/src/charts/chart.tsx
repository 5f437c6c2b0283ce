// A chart of ECharts as a component: drawn when its options change, as wide as its place, told in words to those who do
// not see it.
import { useEffect, useRef } from "preact/hooks";
import { connect, type ECharts, type EChartsCoreOption, init } from "./engine.ts";

export interface ChartProps {
  readonly option: EChartsCoreOption;
  /** What a reader who does not see the chart is told. */
  readonly label: string;
  /** CSS pixels. */
  readonly height?: number;
  /** Charts of one group show their tooltips together. */
  readonly group?: string;
  /** Called once, with the chart: for its events. */
  readonly onReady?: (chart: ECharts) => void;
}

export function Chart({ option, label, height = 240, group, onReady }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<ECharts | undefined>(undefined);
  useEffect(() => {
    const made = init(place.current!);
    chart.current = made;
    if (group !== undefined) {
      made.group = group;
      connect(group);
    }
    const watch = new ResizeObserver(() => made.resize());
    watch.observe(place.current!);
    onReady?.(made);
    return () => {
      watch.disconnect();
      made.dispose();
    };
  }, []);
  useEffect(() => {
    chart.current?.setOption({ animation: false, ...option }, { replaceMerge: ["series"] });
  }, [option]);
  return <div ref={place} class="chart" role="img" aria-label={label} style={{ height: `${height}px` }} />;
}
