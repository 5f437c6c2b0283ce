// The study that a file and the options say.
import { parseAssignment } from "../../config-file/index.ts";
import { readStudy, type Study } from "../../study/plan/read-study.ts";
import type { StudyFlags } from "./study-file.ts";

export function studyOf(file: string, { set = [], output }: StudyFlags): Study {
  const study = readStudy(file, {
    set: Object.fromEntries(set.map(parseAssignment).map(({ path, value }) => [path.join("."), value])),
  });
  return { ...study, ...(output !== undefined && { output }) };
}
