// The prompt's share of the loss at every weight of the slider, on the slider's own scale, with the weight at hand on it.
import { useComputed } from "@preact/signals";
import { LAST_STEP, stepOfWeight } from "../../../packages/promptloss/src/studio/weights/weight-scale.ts";
import { percent } from "../format.ts";
import { chosenShares, shareCurve, weight } from "./state.ts";

/** Units of the drawing; it is stretched to the slider's width. */
const HEIGHT = 100;

function place(step: number, share: number): string {
  return `${step},${(HEIGHT * (1 - share)).toFixed(2)}`;
}

export function ShareCurve() {
  const line = useComputed(() => shareCurve.value.map(({ step, share }) => place(step, share)).join(" "));
  const shares = chosenShares.value;
  if (typeof shares === "string" || line.value === "") return null;
  const { prompt } = shares.parts;
  const [first, last] = [shareCurve.value[0]!, shareCurve.value.at(-1)!];
  return (
    <div class="curve">
      <svg
        viewBox={`0 0 ${LAST_STEP} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Prompt's share of the loss by weight: from ${percent(first.share)} to ${percent(last.share)}, here ${percent(prompt)}`}
      >
        <polyline points={line} />
      </svg>
      <i
        style={{ left: `${(100 * stepOfWeight(weight.value)) / LAST_STEP}%`, top: `${100 * (1 - prompt)}%` }}
      />
    </div>
  );
}
