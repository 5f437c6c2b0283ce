// The study that a file and the options say.
import { parseAssignment } from "../../config-file/index.ts";
import { readStudy, type Study } from "../../study/plan/read-study.ts";
import { keysGiven } from "../options.ts";
import type { StudyFlags } from "./study-file.ts";

export function studyOf(file: string, { output, ...flags }: StudyFlags): Study {
  const study = readStudy(file, {
    set: Object.fromEntries(
      keysGiven(flags)
        .map(parseAssignment)
        .map(({ path, value }) => [path.join("."), value]),
    ),
  });
  return { ...study, ...(output !== undefined && { output }) };
}
