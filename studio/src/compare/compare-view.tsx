// Several runs on the same charts, and in which settings they differ.
import type { RunCard, RunDifferences } from "promptloss/studio";
import { getJson } from "../api/client.ts";
import { useFetched, useOverview } from "../api/hooks.ts";
import { useManySeries } from "../api/many-series.ts";
import { ChartGrid } from "../charts/chart-grid.tsx";
import { controls, X_AXES } from "../charts/controls.ts";
import { ControlsBar } from "../charts/controls-bar.tsx";
import { trimmed } from "../format.ts";
import { route, setQuery } from "../shell/router.ts";
import { compareCharts } from "./compare-charts.ts";
import { CompareTable } from "./compare-table.tsx";
import { type ColorBy, looksOf, weightsOf } from "./looks.ts";
import { RunPicker } from "./run-picker.tsx";
import { chosenRuns } from "./selection.ts";

const NONE: RunDifferences = { keys: [], runs: {} };

export function CompareView() {
  const overview = useOverview();
  if (overview.value === undefined) return <p class="muted">Looking through the folder …</p>;
  const { runs } = overview.value;
  const chosen = chosenRuns(runs, route.value.query);
  return (
    <>
      <div class="head">
        <h1>Compare runs</h1>
      </div>
      <RunPicker runs={runs} chosen={chosen} />
      {chosen.length === 0 ? <p>Choose some runs.</p> : <Comparison runs={chosen} />}
    </>
  );
}

function Comparison({ runs }: { runs: readonly RunCard[] }) {
  const ids = runs.map(({ id }) => id);
  const series = useManySeries(ids);
  const query = String(new URLSearchParams(ids.map((id) => ["run", id])));
  const differences = useFetched(
    (signal) => getJson<RunDifferences>(`/studio/api/differences?${query}`, signal),
    [query],
  );
  const by: ColorBy = route.value.query.get("color") === "weight" ? "weight" : "run";
  const looks = looksOf(runs, by);
  const weights = weightsOf(runs);
  const { column } = X_AXES[controls.value.x];
  return (
    <>
      <ControlsBar>
        <label>
          Color by{" "}
          <select
            value={by}
            onChange={({ currentTarget }) =>
              setQuery({ color: currentTarget.value === "weight" ? "weight" : undefined })
            }
          >
            <option value="run">run</option>
            <option value="weight">prompt loss weight</option>
          </select>
        </label>
      </ControlsBar>
      {by === "weight" && (
        <p class="note">
          Prompt loss weight, from low to high:{" "}
          {weights.map((weight) => {
            const { id } = runs.find(({ promptLossWeight }) => promptLossWeight === weight)!;
            return (
              <span key={weight} class="key-item">
                <i class="swatch" style={{ background: looks.get(id)!.color }} />
                {trimmed(weight)}
              </span>
            );
          })}
        </p>
      )}
      {weights.length > 1 && (
        <p class="note">
          These runs weigh prompts differently, so their losses as a whole are different quantities. The
          losses of completions and of prompts, and the tokens predicted right, can be compared.
        </p>
      )}
      <ChartGrid charts={compareCharts(runs, series.value, looks, column)} legends={false} />
      <CompareTable runs={runs} looks={looks} differences={differences.value.value ?? NONE} />
    </>
  );
}
