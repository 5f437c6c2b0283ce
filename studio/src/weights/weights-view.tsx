// What a prompt loss weight does to rows of one's own: every token's weight, the prompt's share of the loss, and the
// weight that the data asks for. From here a run starts.
import { useEffect } from "preact/hooks";
import { BadRows } from "./bad-rows.tsx";
import { Recommendation } from "./recommendation.tsx";
import { RowsForm } from "./rows-form.tsx";
import { RunForm } from "./run-form.tsx";
import { NormalizationTable, ShareBar } from "./shares.tsx";
import { answer, loadSettings } from "./state.ts";
import { TokenRows } from "./token-rows.tsx";
import { WeightSlider } from "./weight-slider.tsx";
import "./weights.css";

export function WeightsView() {
  useEffect(() => void loadSettings(), []);
  return (
    <div class="weights">
      <div class="head">
        <h1>Weights</h1>
      </div>
      <p class="muted">
        Paste rows or choose a file, and move the weight of the prompt's loss: every token's weight and the
        prompt's share of the loss follow at once.
      </p>
      <RowsForm />
      {answer.value !== undefined && <BadRows answer={answer.value} />}
      {answer.value !== undefined && answer.value.rows.length > 0 && <Weighed />}
    </div>
  );
}

function Weighed() {
  return (
    <>
      <section class="dial" aria-label="Prompt loss weight">
        <WeightSlider />
        <ShareBar />
      </section>
      <div class="pair">
        <NormalizationTable />
        <Recommendation />
      </div>
      <TokenRows rows={answer.value!.rows} unit={answer.value!.unit} />
      <RunForm />
    </>
  );
}
