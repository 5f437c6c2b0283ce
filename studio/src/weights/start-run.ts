// Starts a run by the service's own requests: the rows as JSON lines, uploaded as a file, and a job that trains on them.
import { jobRequest } from "../../../packages/promptloss/src/studio/weights/recipe-form.ts";
import { getJson, postJson, request } from "../api/client.ts";
import { PASTED, type RowsInput, rowsBody, WEIGHTS } from "./state.ts";

export interface StartedJob {
  readonly id: string;
  readonly status: string;
  readonly error: { readonly message: string } | null;
}

const FILES = "/v1/files";
const JOBS = "/v1/fine_tuning/jobs";

/** The rows that can be used, as JSON lines. @throws {ApiError} where there is none */
export async function linesFile(rows: RowsInput): Promise<File> {
  const lines = await (await postJson(`${WEIGHTS}/lines`, rowsBody(rows))).text();
  const name = rows.name === PASTED ? "rows" : rows.name.replace(/\.\w+$/, "");
  return new File([lines], `${name}.jsonl`, { type: "application/jsonl" });
}

/**
 * @param model the id of a model that the service can train
 * @throws {ApiError} for rows or a recipe that the service refuses; the rows are not left behind
 */
export async function startRun(
  rows: RowsInput,
  recipe: Readonly<Record<string, unknown>>,
  model: string,
): Promise<StartedJob> {
  const form = new FormData();
  form.set("purpose", "fine-tune");
  form.set("file", await linesFile(rows));
  const uploaded = (await (await request(FILES, { method: "POST", body: form })).json()) as { id: string };
  try {
    const job = await postJson(JOBS, jobRequest(recipe, { model, file: uploaded.id }));
    return (await job.json()) as StartedJob;
  } catch (error) {
    await request(`${FILES}/${uploaded.id}`, { method: "DELETE" }).catch(() => undefined);
    throw error;
  }
}

export interface JobProgress extends StartedJob {
  /** The run's id in the studio, once its folder is there. */
  readonly run: string | null;
}

/** Where a job stands. @throws {ApiError} */
export async function progressOf(id: string, signal: AbortSignal): Promise<JobProgress> {
  const [job, { run }] = await Promise.all([
    getJson<StartedJob>(`${JOBS}/${id}`, signal),
    getJson<{ run: string | null }>(`${WEIGHTS}/jobs/${id}`, signal),
  ]);
  return { ...job, run };
}
