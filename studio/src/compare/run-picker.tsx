// Chooses the runs of a comparison.
import { useSignal } from "@preact/signals";
import type { RunCard } from "promptloss/studio";
import { count, trimmed } from "../format.ts";
import { fits } from "../runs/search.ts";
import { SearchBox } from "../runs/search-box.tsx";
import { choose, MOST } from "./selection.ts";

export function RunPicker({ runs, chosen }: { runs: readonly RunCard[]; chosen: readonly RunCard[] }) {
  const sought = useSignal("");
  const ids = new Set(chosen.map(({ id }) => id));
  const found = runs.filter((run) => fits(run, sought.value));
  const toggle = (id: string): void => {
    const next = new Set(ids);
    if (!next.delete(id)) next.add(id);
    choose([...next]);
  };
  return (
    <details class="picker" open={chosen.length === 0}>
      <summary>
        {count(chosen.length)} of {count(runs.length)} runs
      </summary>
      <div class="picker-bar">
        <SearchBox label="Search runs to compare" sought={sought} />
        <button type="button" onClick={() => choose([...ids, ...found.map(({ id }) => id)].slice(0, MOST))}>
          Add all {count(found.length)} found
        </button>
        <button type="button" onClick={() => choose([])}>
          Clear
        </button>
      </div>
      {runs.length > MOST && <p class="note">{MOST} runs at most are compared at once.</p>}
      <ul>
        {found.map(({ id, name, promptLossWeight }) => (
          <li key={id}>
            <label>
              <input
                type="checkbox"
                checked={ids.has(id)}
                disabled={!ids.has(id) && ids.size >= MOST}
                onChange={() => toggle(id)}
              />{" "}
              {name} <small>PLW {trimmed(promptLossWeight)}</small>
            </label>
          </li>
        ))}
      </ul>
    </details>
  );
}
