// The matrix of a study's cells, filling up: their states, or their scores in colors from worst to best.
import type { StudyCell, StudyDetail } from "promptloss/studio";
import { heatOf } from "../../../packages/promptloss/src/report/charts/palette.ts";
import { count, percent, trimmed } from "../format.ts";
import { hrefOf } from "../shell/route.ts";
import { route, setQuery } from "../shell/router.ts";
import { matrixOf, sharesOf } from "./matrix.ts";

export function StudyMatrix({ study }: { study: StudyDetail }) {
  const { cells, factors, measures } = study;
  const { query } = route.value;
  const asked = query.get("across") ?? undefined;
  const { across, columns, down, rows } = matrixOf(
    cells,
    factors,
    asked !== undefined && factors.includes(asked) ? asked : undefined,
  );
  const measure = measures.find(({ name }) => name === query.get("show"));
  const share = measure && sharesOf(cells, measure.name, measure.higherIsBetter);
  return (
    <section aria-labelledby="cells">
      <h2 id="cells">Cells</h2>
      <form class="controls" aria-label="What the matrix shows" onSubmit={(event) => event.preventDefault()}>
        <label>
          Show{" "}
          <select
            value={measure?.name ?? ""}
            onChange={({ currentTarget }) => setQuery({ show: currentTarget.value || undefined })}
          >
            <option value="">how far each cell is</option>
            {measures.map(({ name, higherIsBetter }) => (
              <option key={name} value={name}>
                {name} ({higherIsBetter ? "higher" : "lower"} is better)
              </option>
            ))}
          </select>
        </label>
        {factors.length > 1 && (
          <label>
            Across{" "}
            <select
              value={across}
              onChange={({ currentTarget }) => setQuery({ across: currentTarget.value })}
            >
              {factors.map((factor) => (
                <option key={factor}>{factor}</option>
              ))}
            </select>
          </label>
        )}
      </form>
      <div class="wide">
        <table class="matrix">
          <thead>
            {across !== undefined && (
              <tr>
                {down.length > 0 && <td colSpan={down.length} />}
                <th scope="colgroup" colSpan={columns.length}>
                  {across}
                </th>
              </tr>
            )}
            <tr>
              {down.map((factor) => (
                <th key={factor} scope="col">
                  {factor}
                </th>
              ))}
              {columns.map((label) => (
                <th key={label} scope="col">
                  {label}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ labels, cells: own }) => (
              <tr key={labels.join()}>
                {labels.map((label, i) => (
                  <th key={down[i]} scope="row">
                    {label}
                  </th>
                ))}
                {own.map((each, i) => (
                  <td key={columns[i] ?? i}>
                    {each.map((cell) =>
                      measure === undefined || share === undefined ? (
                        <StateTile key={cell.id} cell={cell} />
                      ) : (
                        <ScoreTile key={cell.id} cell={cell} measure={measure.name} share={share(cell)} />
                      ),
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** A cell's levels in words. */
function nameOf({ levels }: StudyCell): string {
  return Object.entries(levels)
    .map(([factor, label]) => `${factor} ${label}`)
    .join(", ");
}

/** Whether there is a run to look at. */
function hasRun({ attempts }: StudyCell): boolean {
  return attempts > 0;
}

function StateTile({ cell }: { cell: StudyCell }) {
  const { status, phase, step, steps, failure } = cell;
  const text =
    status !== "running"
      ? status
      : phase === "evaluating"
        ? "evaluating"
        : step === null || steps === null
          ? "begins"
          : percent(step / steps).replace(/\.\d/, "");
  const title = [
    nameOf(cell),
    step !== null && steps !== null ? `step ${count(step)} of ${count(steps)}` : "",
    failure === null ? "" : [failure.message, failure.hint].filter(Boolean).join(". "),
  ]
    .filter((part) => part !== "")
    .join(": ");
  return <Tile cell={cell} text={text} title={title} look={status} />;
}

function ScoreTile({
  cell,
  measure,
  share,
}: {
  cell: StudyCell;
  measure: string;
  share: number | undefined;
}) {
  const value = cell.scores[measure];
  if (value === undefined) return <StateTile cell={cell} />;
  const text = value === null ? "no number" : trimmed(value, 4);
  const heat = share === undefined ? undefined : heatOf(share);
  return (
    <Tile
      cell={cell}
      text={text}
      title={`${nameOf(cell)}: ${measure} ${text}`}
      look="score"
      style={heat && { background: heat.fill, color: heat.ink }}
    />
  );
}

interface TileProps {
  readonly cell: StudyCell;
  readonly text: string;
  readonly title: string;
  readonly look: string;
  readonly style?: { readonly background: string; readonly color: string } | undefined;
}

function Tile({ cell, text, title, look, style = { background: "", color: "" } }: TileProps) {
  const label = `${title}${title.includes(text) ? "" : `, ${text}`}`;
  return hasRun(cell) ? (
    <a
      class={`tile ${look}`}
      href={hrefOf("runs", [cell.run])}
      title={title}
      aria-label={label}
      style={style}
    >
      {text}
    </a>
  ) : (
    <span class={`tile ${look}`} title={title} style={style}>
      {text}
    </span>
  );
}
