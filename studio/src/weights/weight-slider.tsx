// The slider: even in the logarithm of the weight, from exactly 0 to exactly 1, and a field for any weight between.
import {
  LAST_STEP,
  stepOfWeight,
  weightOfStep,
} from "../../../packages/promptloss/src/studio/weights/weight-scale.ts";
import { percent, trimmed } from "../format.ts";
import { ShareCurve } from "./share-curve.tsx";
import { chosenShares, recommendation, weight } from "./state.ts";

const MARKS = [0, 0.001, 0.01, 0.1, 1] as const;

/** Where a weight stands on the slider's track, as a share of its width. */
function placeOf(value: number): string {
  return `${(100 * stepOfWeight(value)) / LAST_STEP}%`;
}

function shareText(): string {
  const found = chosenShares.value;
  return typeof found === "string" ? "no loss" : `prompt's share ${percent(found.parts.prompt)}`;
}

function spoken(): string {
  return `${trimmed(weight.value)}, ${shareText()} of the loss`;
}

export function WeightSlider() {
  const advised = recommendation.value?.plw;
  return (
    <div class="slider">
      <div class="weight-line">
        <label for="weight">Prompt loss weight</label>
        <input
          id="weight-number"
          type="number"
          min="0"
          max="1"
          step="any"
          aria-label="Prompt loss weight as a number"
          value={weight.value}
          onChange={({ currentTarget }) => {
            const typed = currentTarget.valueAsNumber;
            if (typed >= 0 && typed <= 1) weight.value = typed;
            else currentTarget.value = String(weight.value);
          }}
        />
        <output for="weight" aria-live="off">
          {shareText()}
        </output>
        {advised !== undefined && (
          <button
            type="button"
            disabled={weight.value === advised}
            onClick={() => {
              weight.value = advised;
            }}
          >
            Take the recommended {trimmed(advised)}
          </button>
        )}
      </div>
      <div class="track">
        <ShareCurve />
        <input
          id="weight"
          type="range"
          min="0"
          max={LAST_STEP}
          step="1"
          value={stepOfWeight(weight.value)}
          aria-valuetext={spoken()}
          onInput={({ currentTarget }) => {
            weight.value = weightOfStep(currentTarget.valueAsNumber);
          }}
        />
        <div class="marks" aria-hidden="true">
          {MARKS.map((mark) => (
            <span key={mark} style={{ left: placeOf(mark) }}>
              {mark}
            </span>
          ))}
          {advised !== undefined && <i class="advised" style={{ left: placeOf(advised) }} />}
        </div>
      </div>
    </div>
  );
}
