import { lazy } from "../shell/lazy.tsx";
import type { ViewProps } from "../views.ts";
import { StudyList } from "./study-list.tsx";

const StudyPage = lazy(async () => (await import("./study-page.tsx")).StudyPage);
const ReportPage = lazy(async () => (await import("./report-page.tsx")).ReportPage);

/** `#/studies`: all studies; `#/studies/ID`: one; `#/studies/ID/report`: its report. */
export function StudiesView({ path: [id, part] }: ViewProps) {
  if (id === undefined) return <StudyList />;
  return part === "report" ? <ReportPage key={id} id={id} /> : <StudyPage key={id} id={id} />;
}
