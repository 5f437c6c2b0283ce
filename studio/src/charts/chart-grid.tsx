// Charts of series side by side, drawn as the controls say.
import { controls, setControls, X_AXES } from "./controls.ts";
import { type Line, LineChart, MANY } from "./line-chart.tsx";

export interface GridChart {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly yText: (y: number) => string;
  /** Whether a logarithmic axis makes sense. */
  readonly logarithmic?: boolean | undefined;
}

/** @param legends whether each chart names its lines */
export function ChartGrid({ charts, legends = true }: { charts: readonly GridChart[]; legends?: boolean }) {
  const { x, range, smoothing, logarithmic } = controls.value;
  const { name: xName, text: xText } = X_AXES[x];
  return (
    <div class="charts">
      {charts.map(
        (chart) =>
          chart.lines.length > 0 && (
            <LineChart
              key={chart.title}
              title={chart.title}
              lines={chart.lines}
              xName={xName}
              xText={xText}
              yText={chart.yText}
              smoothing={smoothing}
              logarithmic={logarithmic && chart.logarithmic === true}
              range={range}
              onRange={(chosen) => setControls({ range: chosen })}
              // Of many lines one tooltip is enough to look for.
              {...(chart.lines.length <= MANY && { group: "steps" })}
              legend={legends}
            />
          ),
      )}
    </div>
  );
}
