// The weight that the data's generation ratio asks for: why, how sure that is, and what is not known.
import {
  type TaskGroup,
  taskGroups,
} from "../../../packages/promptloss/src/statistics/choice/task-groups.ts";
import { percent, trimmed } from "../format.ts";
import { answer, recommendation, settings, study, taskGroup, unadvisedBecause, weight } from "./state.ts";

const GROUPS: Readonly<Record<TaskGroup, string>> = {
  "multiple-choice": "multiple choice",
  "short-generation": "short generation",
  "long-generation": "long generation",
};

export function Recommendation() {
  const found = recommendation.value;
  const { studies = [] } = settings.value ?? {};
  const ratio = answer.value?.generationRatio?.ratioOfMeans;
  return (
    <section aria-labelledby="recommendation">
      <h2 id="recommendation">Recommendation</h2>
      <label>
        The model is for{" "}
        <select
          value={taskGroup.value}
          onChange={({ currentTarget }) => {
            taskGroup.value = currentTarget.value;
          }}
        >
          <option value="">all tasks</option>
          {taskGroups.map((name) => (
            <option key={name} value={name}>
              {GROUPS[name]}
            </option>
          ))}
        </select>
      </label>
      {studies.length > 0 && (
        <label>
          {" "}
          on runs of{" "}
          <select
            value={study.value}
            onChange={({ currentTarget }) => {
              study.value = currentTarget.value;
            }}
          >
            <option value="">no study</option>
            {studies.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
      )}
      {found === undefined ? (
        <p class="muted">
          {ratio === undefined || ratio === 0
            ? "The rows have no prompt, or no completion, to measure Rg by."
            : (unadvisedBecause.value ?? "Asking for it …")}
        </p>
      ) : (
        <>
          <p class="advice">
            <span class="big">{trimmed(found.plw)}</span>{" "}
            <button
              type="button"
              disabled={weight.value === found.plw}
              onClick={() => {
                weight.value = found.plw;
              }}
            >
              Take it
            </button>
          </p>
          <dl class="sureness">
            <dt>Best of the weights compared</dt>
            <dd>with probability {percent(found.probabilityBest)}</dd>
            <dt>Expected regret</dt>
            <dd>
              {trimmed(found.expectedRegret, 2)} {found.unit}
            </dd>
            <dt>Alike</dt>
            <dd>
              from {trimmed(found.within.lower)} to {trimmed(found.within.upper)}
            </dd>
            <dt>Rests on</dt>
            <dd>
              {found.runs > 0
                ? `${found.runs} runs of your own, by ${found.objective}`
                : "a wide prior from the paper's facts; no run on this data"}
            </dd>
          </dl>
          <details>
            <summary>Why, and what is not known</summary>
            <ul>
              {found.evidence.map(({ from, text }) => (
                <li key={text}>
                  <strong>{from}:</strong> {text}
                </li>
              ))}
              {found.unknown.map((text) => (
                <li key={text}>
                  <strong>not known:</strong> {text}
                </li>
              ))}
            </ul>
            <p class="note">
              <code>promptloss tune</code> tries a few weights on this very data.
            </p>
          </details>
        </>
      )}
    </section>
  );
}
