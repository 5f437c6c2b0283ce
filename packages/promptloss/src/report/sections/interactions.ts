// Whether the best weight depends on another factor (learning rate, model, regularizer): a test for each, and what may be
// said at each level.
import { pValue, trimmed } from "../../statistics/numbers.ts";
import type { StudyInteraction } from "../../study/results/fit-study.ts";
import type { StudyContent } from "../content/study-content.ts";
import { html, type Markup, type Part } from "../html/markup.ts";
import { table } from "../html/table.ts";
import { bestOf } from "./findings.ts";
import { sentence } from "./wording.ts";

export function interactions({ fits }: StudyContent): Markup {
  return html`
<p>Each level's own statement is of its cells alone; all p-values are corrected together with those above. That two levels
have different best weights is a claim only where the test of PLW × factor says so.</p>
${fits.interactions.map(one)}`;
}

function one({ factor, generationRatio, levels, sentence: said }: StudyInteraction): Markup {
  const ratio = generationRatio === undefined ? "" : `, Rg ${trimmed(generationRatio)}`;
  const rows = levels.map(({ level, finding }): Part[] =>
    finding === undefined
      ? [level, "–", "–", "–", "–"]
      : [
          level,
          finding.shape,
          bestOf(finding),
          finding.shape === "no verdict" ? "–" : pValue(finding.correctedP),
          trimmed(finding.evidence.residualDf, 3),
        ],
  );
  return html`
<h3>PLW × ${factor}${ratio}</h3>
<p>${sentence(said)}.</p>
${table(
  `At each level of ${factor}${ratio}`,
  [
    { name: factor },
    { name: "Shape", number: true },
    { name: "Best PLW, or alike", number: true },
    { name: "Corrected p", number: true },
    { name: "df", number: true },
  ],
  rows,
)}`;
}
