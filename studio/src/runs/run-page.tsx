// One run: where it stands, its charts as they grow, its facts, its recipe.
import { useSignal } from "@preact/signals";
import type { RunDetail, SeriesChange } from "promptloss/studio";
import { useLive } from "../api/live.ts";
import { changedSeries, EMPTY_SERIES } from "../api/series.ts";
import { ChartGrid } from "../charts/chart-grid.tsx";
import { controls, X_AXES } from "../charts/controls.ts";
import { ControlsBar } from "../charts/controls-bar.tsx";
import { count, dateText, duration, lossText, MISSING, short, trimmed } from "../format.ts";
import { Gone } from "../shell/problem.tsx";
import { Progress } from "../shell/progress.tsx";
import { hrefOf } from "../shell/route.ts";
import { runCharts } from "./run-charts.ts";
import { RunFacts } from "./run-facts.tsx";
import { StateBadge } from "./state-badge.tsx";

export function RunPage({ id }: { id: string }) {
  const run = useSignal<RunDetail | undefined>(undefined);
  const series = useSignal(EMPTY_SERIES);
  const gone = useSignal(false);
  useLive([`run:${id}`, `series:${id}`], ({ topic, value, gone: left }) => {
    if (left) gone.value = true;
    else if (topic.startsWith("run:")) run.value = value as RunDetail;
    else series.value = changedSeries(series.value, value as SeriesChange);
  });
  if (gone.value) return <Gone what="run" />;
  if (run.value === undefined) return <p class="muted">Reading the run …</p>;
  const { column } = X_AXES[controls.value.x];
  const { width } = series.value.steps;
  return (
    <>
      <RunHead run={run.value} />
      <ControlsBar />
      {width > 1 && (
        <p class="note">
          A point is the mean of {width} steps; a band reaches from the least to the highest loss of them.
        </p>
      )}
      <ChartGrid charts={runCharts(series.value, column)} />
      {series.value.steps.length === 0 && <p class="muted">No step is done yet.</p>}
      <RunFacts run={run.value} />
    </>
  );
}

function RunHead({ run }: { run: RunDetail }) {
  const { name, state, step, steps, error } = run;
  return (
    <>
      <p class="trail">
        <a href={hrefOf("runs")}>Runs</a>
      </p>
      <div class="head">
        <h1>{name}</h1>
        <StateBadge state={state} />
        {run.generations.length > 0 && (
          <a href={hrefOf("runs", [run.id, "generations"])}>What it said before and after</a>
        )}
      </div>
      {error !== null && (
        <div class="problem" role="alert">
          <p>
            {error.name}: {error.message}
          </p>
          {error.hint !== undefined && <p class="muted">{error.hint}</p>}
        </div>
      )}
      <dl class="tiles">
        <div>
          <dt>Step</dt>
          <dd>
            {count(step)} <small>of {count(steps)}</small>
            <Progress done={step} all={steps} label="Steps done" />
          </dd>
        </div>
        <Tile name="Prompt loss weight" value={trimmed(run.promptLossWeight)} />
        <Tile name="Loss" value={lossText(run.loss)} />
        <Tile name="Held-out loss" value={lossText(run.heldOutLoss)} />
        <Tile name="Tokens/s" value={run.tokensPerSecond === null ? MISSING : short(run.tokensPerSecond)} />
        {state === "running" ? (
          <Tile name="Time left" value={run.secondsLeft === null ? MISSING : duration(run.secondsLeft)} />
        ) : (
          <Tile name="Started" value={dateText(run.startedAt)} />
        )}
      </dl>
    </>
  );
}

function Tile({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
