// Compared runs in numbers, and the settings in which they differ.
import type { RunCard, RunDifferences } from "promptloss/studio";
import { count, lossText, trimmed } from "../format.ts";
import { StateBadge } from "../runs/state-badge.tsx";
import { hrefOf } from "../shell/route.ts";
import type { Look } from "./looks.ts";

/** The weight has a column of its own. */
const SHOWN_ANYWAY = "loss.promptLossWeight";

export interface CompareTableProps {
  readonly runs: readonly RunCard[];
  readonly looks: ReadonlyMap<string, Look>;
  readonly differences: RunDifferences;
}

export function CompareTable({ runs, looks, differences }: CompareTableProps) {
  const keys = differences.keys.flatMap((key, place) => (key === SHOWN_ANYWAY ? [] : [{ key, place }]));
  return (
    <section aria-labelledby="numbers">
      <h2 id="numbers">Runs in numbers</h2>
      <div class="wide">
        <table>
          <thead>
            <tr>
              <th scope="col">Run</th>
              <th scope="col" class="number">
                PLW
              </th>
              <th scope="col">State</th>
              <th scope="col" class="number">
                Steps
              </th>
              <th scope="col" class="number">
                Loss
              </th>
              <th scope="col" class="number">
                Held-out loss
              </th>
              {keys.map(({ key }) => (
                <th key={key} scope="col">
                  {key}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {runs.map(({ id, name, promptLossWeight, state, step, loss, heldOutLoss }) => (
              <tr key={id}>
                <th scope="row">
                  <Swatch look={looks.get(id)!} />
                  <a href={hrefOf("runs", [id])}>{name}</a>
                </th>
                <td class="number">{trimmed(promptLossWeight)}</td>
                <td>
                  <StateBadge state={state} />
                </td>
                <td class="number">{count(step)}</td>
                <td class="number">{lossText(loss)}</td>
                <td class="number">{lossText(heldOutLoss)}</td>
                {keys.map(({ key, place }) => (
                  <td key={key}>{shown(differences.runs[id]?.[place])}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** JSON of a text without its quotes. */
function shown(json: string | null | undefined): string {
  return json === null || json === undefined ? "–" : json.replace(/^"(.*)"$/, "$1");
}

function Swatch({ look: { color, dashed } }: { look: Look }) {
  return <i class={dashed ? "swatch dashed" : "swatch"} style={{ background: color, color }} />;
}
