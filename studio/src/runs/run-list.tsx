// All runs of the folder, the newest first, as they go.
import { useComputed, useSignal } from "@preact/signals";
import type { RunCard } from "promptloss/studio";
import { useOverview } from "../api/hooks.ts";
import { compareHref, MOST } from "../compare/selection.ts";
import { count, dateText, duration, lossText, MISSING, short, trimmed } from "../format.ts";
import { Progress } from "../shell/progress.tsx";
import { hrefOf } from "../shell/route.ts";
import { fits } from "./search.ts";
import { SearchBox } from "./search-box.tsx";
import { StateBadge } from "./state-badge.tsx";

export function RunList() {
  const overview = useOverview();
  const sought = useSignal("");
  const runs = useComputed(() => (overview.value?.runs ?? []).filter((run) => fits(run, sought.value)));
  if (overview.value === undefined) return <p class="muted">Looking through the folder …</p>;
  const { folder, runs: all, cut } = overview.value;
  return (
    <>
      <div class="head">
        <h1>Runs of {folder}</h1>
        <SearchBox label="Search runs" sought={sought} />
        {runs.value.length > 1 && (
          <a href={compareHref(runs.value.slice(0, MOST).map(({ id }) => id))}>
            Compare {runs.value.length === all.length ? "all" : "these"}{" "}
            {count(Math.min(MOST, runs.value.length))}
          </a>
        )}
      </div>
      {cut && <p class="note">The folder holds more than is looked through: name one of its folders.</p>}
      {all.length === 0 ? (
        <p>
          There is no run here yet. <code>promptloss train recipe.yaml</code> makes one; its folder is the
          recipe's <code>output</code>.
        </p>
      ) : runs.value.length === 0 ? (
        <p>No run fits “{sought.value}”.</p>
      ) : (
        <div class="wide">
          <table class="cards">
            <thead>
              <tr>
                <th scope="col">Run</th>
                <th scope="col">State</th>
                <th scope="col">Model</th>
                <th scope="col" class="number">
                  PLW
                </th>
                <th scope="col">Progress</th>
                <th scope="col" class="number">
                  Loss
                </th>
                <th scope="col" class="number">
                  Held-out loss
                </th>
                <th scope="col" class="number">
                  Tokens/s
                </th>
                <th scope="col">Started</th>
              </tr>
            </thead>
            <tbody>
              {runs.value.map((run) => (
                <RunRow key={run.id} run={run} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

function RunRow({ run }: { run: RunCard }) {
  const { id, name, state, model, promptLossWeight, step, steps, loss, heldOutLoss, tokensPerSecond } = run;
  const left = run.secondsLeft === null ? "" : `, ${duration(run.secondsLeft)} left`;
  return (
    <tr>
      <th scope="row">
        <a href={hrefOf("runs", [id])}>{name}</a>
      </th>
      <td data-name="State">
        <StateBadge state={state} />
      </td>
      <td data-name="Model">{model}</td>
      <td class="number" data-name="PLW">
        {trimmed(promptLossWeight)}
      </td>
      <td class="nowrap" data-name="Progress">
        <Progress done={step} all={steps} label={`Progress of ${name}`} />{" "}
        <small>
          {count(step)}/{count(steps)}
          {left}
        </small>
      </td>
      <td class="number" data-name="Loss">
        {lossText(loss)}
      </td>
      <td class="number" data-name="Held-out loss">
        {lossText(heldOutLoss)}
      </td>
      <td class="number" data-name="Tokens/s">
        {tokensPerSecond === null ? MISSING : short(tokensPerSecond)}
      </td>
      <td class="nowrap" data-name="Started">
        {dateText(run.startedAt)}
      </td>
    </tr>
  );
}
