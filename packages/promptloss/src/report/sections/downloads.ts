// The data behind the page, inside it: the tidy table as CSV and JSONL, the models as JSON, each a data: link.

import { fitsToJson } from "../../study/results/fits-json.ts";
import { resultsTables } from "../../study/results/results-file.ts";
import type { StudyContent } from "../content/study-content.ts";
import { html, type Markup } from "../html/markup.ts";

export function downloads({ results, fits }: StudyContent): Markup {
  const { csv, jsonl } = resultsTables(results);
  const json = `${JSON.stringify(fitsToJson(fits), null, 2)}\n`;
  return html`
<p>One row a cell, task and metric, with the cell's factors, weight, generation ratio and probes.</p>
<ul>
<li>${link(`${results.study}.csv`, "text/csv", csv)}</li>
<li>${link(`${results.study}.jsonl`, "application/jsonl", jsonl)}</li>
<li>${link(`${results.study}-models.json`, "application/json", json)}: coefficients, covariances, fitted values</li>
</ul>`;
}

function link(name: string, type: string, text: string): Markup {
  const size = Buffer.byteLength(text);
  const shown = size < 1e6 ? `${Math.ceil(size / 1e3)} kB` : `${(size / 1e6).toFixed(1)} MB`;
  return html`<a download="${name}" href="data:${type};charset=utf-8;base64,${Buffer.from(text).toString("base64")}">${name}</a> (${shown})`;
}
