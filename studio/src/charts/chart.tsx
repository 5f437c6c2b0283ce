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
  /** What is to be drawn when the chart comes into sight: a page of many charts draws those that are seen. */
  const pending = useRef<EChartsCoreOption | undefined>(undefined);
  const isSeen = useRef(false);
  const draw = (): void => {
    if (!isSeen.current || pending.current === undefined) return;
    chart.current?.setOption({ animation: false, ...pending.current }, { replaceMerge: ["series"] });
    pending.current = undefined;
  };
  useEffect(() => {
    const made = init(place.current!);
    chart.current = made;
    const size = new ResizeObserver(() => made.resize());
    size.observe(place.current!);
    const sight = new IntersectionObserver(
      (entries) => {
        isSeen.current = entries.at(-1)!.isIntersecting;
        draw();
      },
      { rootMargin: NEAR },
    );
    sight.observe(place.current!);
    onReady?.(made);
    return () => {
      size.disconnect();
      sight.disconnect();
      made.dispose();
    };
  }, []);
  useEffect(() => {
    pending.current = option;
    draw();
  }, [option]);
  useEffect(() => {
    if (chart.current === undefined) return;
    chart.current.group = group ?? "";
    if (group !== undefined) connect(group);
  }, [group]);
  return <div ref={place} class="chart" role="img" aria-label={label} style={{ height: `${height}px` }} />;
}

/** How far from sight a chart is drawn already. */
const NEAR = "300px";
