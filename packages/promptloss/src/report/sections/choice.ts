// The weight to use, which is a choice and no claim: it needs no significance, and says what it rests on.
import type { Recommendation } from "../../statistics/index.ts";
import { trimmed } from "../../statistics/numbers.ts";
import type { Series, StudyContent } from "../content/study-content.ts";
import { html, type Markup } from "../html/markup.ts";
import { table } from "../html/table.ts";
import { counted, groupTitle, sentence } from "./wording.ts";

/** Over all tasks of a generation ratio. */
export function choiceOf({ recommendations }: StudyContent, { generationRatio }: Series): Markup | undefined {
  const found = recommendations.find(
    (each) => each.taskGroup === undefined && each.generationRatio === generationRatio,
  );
  return (
    found && html`<p class="choice"><strong>The choice, not a claim:</strong> ${sentence(found.sentence)}</p>`
  );
}

/** By group of tasks and ratio. */
export function choiceTable({ recommendations }: StudyContent): Markup {
  return html`
${table(
  "Prompt loss weights of lowest expected regret: a choice, not a claim",
  [
    { name: "For" },
    { name: "Rg", number: true },
    { name: "PLW", number: true },
    { name: "Expected regret", number: true },
    { name: "Best with", number: true },
    { name: "Alike", number: true },
    { name: "Rests on" },
  ],
  recommendations.map(
    ({ taskGroup, generationRatio, plw, expectedRegret, unit, probabilityBest, within, runs }) => [
      groupTitle(taskGroup),
      trimmed(generationRatio),
      html`<strong>${trimmed(plw)}</strong>`,
      `${trimmed(expectedRegret, 2)} ${unit}`,
      `${trimmed(100 * probabilityBest, 2)} %`,
      `${trimmed(within.lower)} to ${trimmed(within.upper)}`,
      runs > 0 ? counted(runs, "run") : "the prior alone",
    ],
  ),
)}
<p class="note">What is known beside this study:</p>
<ul class="note">${[...new Set(recommendations.map(known))].map((text) => html`<li>${text}</li>`)}</ul>`;
}

/** What the paper's figures say, without the study's own notes, which stand above. */
function known({ generationRatio, evidence }: Recommendation): string {
  const said = evidence
    .filter(({ mark }) => mark !== "study")
    .map(({ mark, text }) => `${text} (${marks[mark]})`);
  return `Rg ${trimmed(generationRatio)}: ${said.join("; ")}.`;
}

const marks: Readonly<Record<Recommendation["evidence"][number]["mark"], string>> = {
  study: "this study",
  V: "the paper",
  D: "derived from the paper's figures",
  O: "ours",
  "follow-up": "a follow-up paper",
};
