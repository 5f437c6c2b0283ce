// What was read of the rows: how many, what is worth knowing, and every row that can't be used with its cause.
import type { WeightsAnswer } from "../../../packages/promptloss/src/studio/weights/answer.ts";
import { count, trimmed } from "../format.ts";

function ratioText(value: number | undefined): string {
  return value === undefined ? "–" : trimmed(value, 4);
}

export function BadRows({ answer }: { answer: WeightsAnswer }) {
  const { counts, bad, notes, unit, format, template, generationRatio, ratioAsTrained } = answer;
  return (
    <section aria-labelledby="read">
      <h2 id="read">What was read</h2>
      <dl class="tiles">
        <div>
          <dt>Rows</dt>
          <dd>
            {count(counts.usable)} <small>of {count(counts.read)}</small>
          </dd>
        </div>
        <div>
          <dt>Format, template</dt>
          <dd>
            {format ?? "–"} <small>{template === "tokenizer" ? "the model's chat template" : template}</small>
          </dd>
        </div>
        <div>
          <dt>Rg, completion / prompt</dt>
          <dd>{ratioText(generationRatio?.ratioOfMeans)}</dd>
        </div>
        <div>
          <dt>Rg with template and stop</dt>
          <dd>{ratioText(ratioAsTrained)}</dd>
        </div>
      </dl>
      {notes.length > 0 && (
        <ul class="notes">
          {notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
      {counts.bad > 0 && (
        <div class="problem" role="alert">
          <h3>
            {count(counts.bad)} {counts.bad === 1 ? "row" : "rows"} can't be used
          </h3>
          <div class="wide">
            <table class="bad">
              <thead>
                <tr>
                  <th scope="col">{unit[0]!.toUpperCase() + unit.slice(1)}</th>
                  <th scope="col">Field</th>
                  <th scope="col">Cause</th>
                </tr>
              </thead>
              <tbody>
                {bad.map(({ row, field, message, hint }) => (
                  <tr key={`${row} ${message}`}>
                    <th scope="row">{row ?? "–"}</th>
                    <td>{field ?? ""}</td>
                    <td>
                      {message}
                      {hint !== null && <small> {hint}</small>}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          {counts.bad > bad.length && <p class="muted">and {count(counts.bad - bad.length)} more</p>}
        </div>
      )}
    </section>
  );
}
