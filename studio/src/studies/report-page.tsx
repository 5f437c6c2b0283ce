// A study's whole report, as `promptloss study report` writes it.
import { request } from "../api/client.ts";
import { useFetched } from "../api/hooks.ts";
import { Problem } from "../shell/problem.tsx";
import { hrefOf } from "../shell/route.ts";

export function ReportPage({ id }: { id: string }) {
  const { value: html, failure } = useFetched(
    async (signal) => (await request(`/studio/api/studies/${id}/report`, { signal })).text(),
    [id],
  );
  if (failure.value !== undefined) return <Problem title="There is no report" text={failure.value} />;
  return (
    <>
      <p class="trail">
        <a href={hrefOf("studies")}>Studies</a> / <a href={hrefOf("studies", [id])}>study</a>
      </p>
      <div class="head">
        <h1>Report</h1>
      </div>
      {html.value === undefined ? (
        <p class="muted" role="status">
          Fitting models to the scores …
        </p>
      ) : (
        // Without an origin: the report can read nothing of this page.
        <iframe
          class="report"
          title="The study's report"
          sandbox="allow-scripts allow-downloads"
          srcdoc={html.value}
        />
      )}
    </>
  );
}
