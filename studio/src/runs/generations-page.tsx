// What a run's model said before and after training, side by side, and what the data says.
import { useSignal } from "@preact/signals";
import type { GenerationRow, GenerationSet, RunDetail } from "promptloss/studio";
import { getJson } from "../api/client.ts";
import { useFetched, useTopic } from "../api/hooks.ts";
import { count } from "../format.ts";
import { Gone } from "../shell/problem.tsx";
import { hrefOf } from "../shell/route.ts";
import { route, setQuery } from "../shell/router.ts";

export function GenerationsPage({ id }: { id: string }) {
  const { value: run, gone } = useTopic<RunDetail>(`run:${id}`);
  if (gone.value) return <Gone what="run" />;
  if (run.value === undefined) return <p class="muted">Reading the run …</p>;
  const { name, generations } = run.value;
  const asked = route.value.query.get("set");
  const set = generations.find((each) => each === asked) ?? generations[0];
  return (
    <>
      <p class="trail">
        <a href={hrefOf("runs")}>Runs</a> / <a href={hrefOf("runs", [id])}>{name}</a>
      </p>
      <div class="head">
        <h1>Before and after</h1>
        {generations.length > 1 && (
          <label>
            Prompts of{" "}
            <select value={set} onChange={({ currentTarget }) => setQuery({ set: currentTarget.value })}>
              {generations.map((each) => (
                <option key={each}>{each}</option>
              ))}
            </select>
          </label>
        )}
      </div>
      {set === undefined ? (
        <p>
          This run has kept no generations. <code>{"probes: { generations: { before: true } }"}</code> in its
          recipe keeps what the model says to training prompts, before and after.
        </p>
      ) : (
        <Rows id={id} set={set} />
      )}
    </>
  );
}

function Rows({ id, set }: { id: string; set: string }) {
  const path = `/studio/api/runs/${id}/generations?${new URLSearchParams({ set })}`;
  const { value: found, failure } = useFetched((signal) => getJson<GenerationSet>(path, signal), [path]);
  const only = useSignal(false);
  if (failure.value !== undefined) return <p role="alert">{failure.value}</p>;
  if (found.value === undefined) return <p class="muted">Reading …</p>;
  const { rows, cut } = found.value;
  const shown = only.value ? rows.filter(({ before, after }) => before !== after) : rows;
  const hasBefore = rows.some(({ before }) => before !== null);
  return (
    <>
      <form class="controls" aria-label="Which rows are shown" onSubmit={(event) => event.preventDefault()}>
        <span>
          {count(shown.length)} of {cut ? "more than " : ""}
          {count(rows.length)} rows
        </span>
        {hasBefore && (
          <label>
            <input
              type="checkbox"
              checked={only.value}
              onChange={({ currentTarget }) => {
                only.value = currentTarget.checked;
              }}
            />{" "}
            Only those that changed
          </label>
        )}
      </form>
      {shown.map((row, i) => (
        <Row key={`${i}`} row={row} hasBefore={hasBefore} />
      ))}
    </>
  );
}

function Row({
  row: { prompt, reference, before, after },
  hasBefore,
}: {
  row: GenerationRow;
  hasBefore: boolean;
}) {
  return (
    <article class="turn">
      <p class="said wholly">
        <span class="unseen">Prompt: </span>
        {prompt}
      </p>
      <div class="answers">
        {hasBefore && <Said title="Before" text={before} reference={reference} />}
        <Said title="After" text={after} reference={reference} />
        {reference !== null && <Said title="Data" text={reference} />}
      </div>
    </article>
  );
}

function Said({ title, text, reference }: { title: string; text: string | null; reference?: string | null }) {
  const isData = reference !== null && reference !== undefined && text?.trim() === reference.trim();
  return (
    <div class="answer">
      <h2>{title}</h2>
      <p class="text">{text}</p>
      {text === null && <p class="note">not kept</p>}
      {text?.trim() === "" && <p class="note">said nothing</p>}
      {isData && <p class="note">as in the data</p>}
    </div>
  );
}
