// Shares of the loss: of prompt, content and end under the chosen normalization, and the prompt's under each.
import { useComputed } from "@preact/signals";
import { TOKEN_PARTS, type TokenPart } from "../../../packages/promptloss/src/data/token-parts.ts";
import type { LossShares } from "../../../packages/promptloss/src/studio/weights/token-weights.ts";
import { count, percent } from "../format.ts";
import { failure, measure, measured, measuredShares } from "./measure.ts";
import {
  answer,
  chosenShares,
  chosenTokenizer,
  NORMALIZATIONS,
  type Normalization,
  normalization,
  shares,
} from "./state.ts";

const PARTS: Readonly<Record<TokenPart, string>> = {
  prompt: "prompt",
  content: "completion",
  end: "stop token",
};

function inWords({ parts }: LossShares): string {
  return TOKEN_PARTS.map((part) => `${PARTS[part]} ${percent(parts[part])}`).join(", ");
}

export function ShareBar() {
  const found = chosenShares.value;
  const rows = answer.value?.rows.length ?? 0;
  if (typeof found === "string")
    return (
      <p class="problem" role="status">
        {found}
      </p>
    );
  return (
    <figure class="share">
      <figcaption>
        <strong>Prompt's share of the loss: {percent(found.parts.prompt)}</strong>
      </figcaption>
      <Bar shares={found} what="Shares of the loss" />
      <ul class="legend">
        {TOKEN_PARTS.map((part) => (
          <li key={part}>
            <i class={part} /> {PARTS[part]} {percent(found.parts[part])}
          </li>
        ))}
      </ul>
      <p class="note">
        Were the losses of all tokens alike, over {rows === 1 ? "this row" : `these ${count(rows)} rows`} as
        one batch, under {normalization}.
      </p>
      {chosenTokenizer.value?.measures === true && <MeasuredShare name={chosenTokenizer.value.name} />}
    </figure>
  );
}

/** What the model's own losses make of it. */
function MeasuredShare({ name }: { name: string }) {
  const found = measuredShares.value;
  const { rows, all } = measured.value ?? { rows: 0, all: 0 };
  return (
    <div class="measured">
      {found === undefined ? (
        <button type="button" disabled={measured.value !== undefined} onClick={() => void measure()}>
          Measure with {name}
        </button>
      ) : (
        <>
          <p>
            As {name} has it now: prompt {percent(found.parts.prompt)}{" "}
            <small>of the loss of {all === 1 ? "one row" : `the first ${count(all)} rows`}</small>
          </p>
          <Bar shares={found} what={`Shares of the loss that ${name} has`} />
        </>
      )}
      <span class="muted" role="status">
        {measured.value !== undefined && rows < all ? `${count(rows)} of ${count(all)} rows` : ""}
      </span>
      {failure.value !== undefined && <p class="fault">{failure}</p>}
    </div>
  );
}

function Bar({ shares: found, what }: { shares: LossShares; what: string }) {
  return (
    <div class="bar-of-shares" role="img" aria-label={`${what}: ${inWords(found)}`}>
      {TOKEN_PARTS.map((part) => (
        <span key={part} class={part} style={{ width: `${100 * found.parts[part]}%` }} />
      ))}
    </div>
  );
}

/** What each divides the weighted sum of token losses by. */
const DIVISORS: Readonly<Record<Normalization, string>> = {
  "weight-sum": "the sum of weights",
  "active-count": "tokens of a weight above 0",
  "all-mean": "all positions, padding included",
  "completion-count": "completion tokens",
  "segment-mean": "prompt and completion each by its tokens",
  "loss-share": "the weight is the prompt's share itself",
};

export function NormalizationTable() {
  return (
    <section aria-labelledby="normalizations">
      <h2 id="normalizations">Normalization</h2>
      <div class="wide">
        <table class="normalizations">
          <thead>
            <tr>
              <th scope="col">The loss is divided by</th>
              <th scope="col">Prompt's share</th>
            </tr>
          </thead>
          <tbody>
            {NORMALIZATIONS.map((name) => (
              <NormalizationRow key={name} name={name} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function NormalizationRow({ name }: { name: Normalization }) {
  const found = useComputed(() => shares.value[name]);
  const share = found.value;
  return (
    <tr>
      <th scope="row">
        <label>
          <input
            type="radio"
            name="normalization"
            checked={normalization.value === name}
            onChange={() => {
              normalization.value = name;
            }}
          />{" "}
          {name} <small>{DIVISORS[name]}</small>
        </label>
      </th>
      <td class="number">{typeof share === "string" ? "no loss" : percent(share.parts.prompt)}</td>
    </tr>
  );
}
