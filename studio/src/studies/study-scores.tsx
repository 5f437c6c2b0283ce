// What a study's results say so far, as its report does: the verdict, and scores against the weight with fitted curves.
import type { StudyAnalysis } from "promptloss/studio";
import { getJson } from "../api/client.ts";
import { useFetched } from "../api/hooks.ts";
import { hrefOf } from "../shell/route.ts";
import { ReportPart } from "./report-part.tsx";

/** @param results changes with the results, and is null while there are none */
export function StudyScores({ id, results }: { id: string; results: string | null }) {
  const load = (signal: AbortSignal) => getJson<StudyAnalysis>(`/studio/api/studies/${id}/analysis`, signal);
  const { value: analysis, failure } = useFetched(results === null ? undefined : load, [id, results]);
  const shown = analysis.value;
  return (
    <section aria-labelledby="scores">
      <h2 id="scores">Scores against the weight</h2>
      {results === null && <p class="muted">No cell has a score yet.</p>}
      {failure.value !== undefined && <p role="alert">{failure.value}</p>}
      {results !== null && failure.value === undefined && shown?.results !== results && (
        <p class="muted" role="status">
          {shown === undefined
            ? "Fitting models to the scores …"
            : "There are new scores; fitting models to them …"}
        </p>
      )}
      {shown !== undefined && (
        <>
          <p>
            <a href={hrefOf("studies", [id, "report"])}>The whole report</a>
          </p>
          <ReportPart html={shown.verdict} />
          <ReportPart html={shown.scores} />
        </>
      )}
    </section>
  );
}
