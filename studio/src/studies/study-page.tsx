// One study: its cells, and what their scores say so far.
import type { StudyDetail } from "promptloss/studio";
import { useTopic } from "../api/hooks.ts";
import { compareHref, MOST } from "../compare/selection.ts";
import { Gone } from "../shell/problem.tsx";
import { hrefOf } from "../shell/route.ts";
import { StudyMatrix } from "./study-matrix.tsx";
import { StudyProgress } from "./study-progress.tsx";
import { StudyScores } from "./study-scores.tsx";

export function StudyPage({ id }: { id: string }) {
  const { value: study, gone } = useTopic<StudyDetail>(`study:${id}`);
  if (gone.value) return <Gone what="study" />;
  if (study.value === undefined) return <p class="muted">Reading the study …</p>;
  const { name, cells, results } = study.value;
  const runs = cells.filter(({ attempts }) => attempts > 0).map(({ run }) => run);
  const failed = cells.filter(({ failure }) => failure !== null);
  return (
    <>
      <p class="trail">
        <a href={hrefOf("studies")}>Studies</a>
      </p>
      <div class="head">
        <h1>{name}</h1>
        <span>
          <StudyProgress study={study.value} />
        </span>
        {runs.length > 1 && <a href={compareHref(runs.slice(0, MOST))}>Compare the cells' runs</a>}
      </div>
      {failed.length > 0 && (
        <div class="problem">
          {failed.map(({ id: cell, failure }) => (
            <p key={cell}>
              {cell}: {failure!.message}
              {failure!.hint !== null && <span class="muted"> {failure!.hint}</span>}
            </p>
          ))}
          <p class="muted">
            <code>promptloss study run --retry</code> begins failed cells again.
          </p>
        </div>
      )}
      <StudyMatrix study={study.value} />
      <StudyScores id={id} results={results} />
    </>
  );
}
