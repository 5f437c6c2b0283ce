// What `promptloss fit` computes: the table read and prepared, each formula fitted, fits compared, the vertex found.
import {
  type AppliedTransform,
  type ComparisonRow,
  compareModels,
  type FamilyName,
  fitMixedModel,
  type MixedModelFit,
  NoCurveError,
  type QuadraticEffect,
  quadraticEffect,
  type Row,
  type ScoreTransform,
  TableError,
  toUnitInterval,
} from "../../statistics/index.ts";
import { readTable } from "../../study/table/table-file.ts";
import { withWp } from "../../study/table/with-wp.ts";

export interface FitRequest {
  readonly file: string;
  readonly formulas: readonly string[];
  readonly family: FamilyName;
  readonly reml: boolean;
  readonly transforms: readonly ScoreTransform[];
  /** The column of groups that min-max works within; all rows are one group where left out. */
  readonly within?: string | undefined;
  /** The variable whose best value is asked for. */
  readonly vertex?: string | undefined;
  readonly at: Row;
  readonly bootstrap?: number | undefined;
  readonly seed: number;
  /** Of intervals. */
  readonly level: number;
}

export interface FitReport {
  readonly fits: readonly MixedModelFit[];
  /** Where there are two formulas or more. */
  readonly comparison: readonly ComparisonRow[] | undefined;
  readonly transforms: readonly AppliedTransform[];
  /** Of the last formula that has a curve. */
  readonly effect: QuadraticEffect | undefined;
  readonly notes: readonly string[];
}

/** @throws StatisticsError and its kin, TableFileError; each names the file */
export const fitTable = (request: FitRequest): FitReport => {
  const { file, formulas, family, reml, vertex, at, level } = request;
  const notes: string[] = [];
  try {
    const read = readTable(file);
    const derived = withWp(read);
    if (derived !== read && formulas.some((formula) => /\bwp\b/.test(formula)))
      notes.push("wp = plw^0.30103 was added to the table");
    const { rows, applied } = transformed(derived, request);
    const fits = formulas.map((formula) => fitMixedModel(rows, formula, { family, reml }));
    return {
      fits,
      comparison: fits.length > 1 ? compareModels(fits) : undefined,
      transforms: applied,
      effect:
        vertex === undefined
          ? undefined
          : quadraticEffect(curved(fits, vertex), {
              ...{ variable: vertex, at, level },
              ...(request.bootstrap !== undefined && {
                bootstrap: { replicates: request.bootstrap, seed: request.seed },
              }),
            }),
      notes,
    };
  } catch (error) {
    if (!(error instanceof TableError)) throw error;
    const { message, row, column, hint } = error;
    throw new TableError(`${file}: ${message}`, { row, column, hint, cause: error });
  }
};

/** The last fit with a square of the variable; the last of all where there is none, which says so. */
const curved = (fits: readonly MixedModelFit[], variable: string): MixedModelFit => {
  const square = (fit: MixedModelFit): boolean => {
    try {
      quadraticEffect(fit, { variable });
      return true;
    } catch (error) {
      if (error instanceof NoCurveError) return false;
      // What else is wrong with the best of several is said when it is computed.
      return true;
    }
  };
  return fits.findLast(square) ?? fits.at(-1)!;
};

/** The response's column with the named transforms applied; rows without a response stay without one. */
const transformed = (
  rows: readonly Row[],
  { formulas, transforms, within }: FitRequest,
): { rows: readonly Row[]; applied: readonly AppliedTransform[] } => {
  if (transforms.length === 0) return { rows, applied: [] };
  const responses = new Set(formulas.map((formula) => formula.split("~")[0]!.trim()));
  const [column] = responses;
  if (responses.size !== 1 || column === undefined || !rows.some((row) => column in row))
    throw new TableError("transforms need one column left of the ~ of all formulas", {
      hint: "write score ~ …, or leave --transform out",
    });
  if (within !== undefined && !rows.some((row) => within in row))
    throw new TableError(`unknown column "${within}"`, { column: within });
  const present = rows.flatMap((row, i) => (isMissing(row[column]) ? [] : [i]));
  const { scores, applied } = toUnitInterval(
    present.map((i) => Number(rows[i]![column])),
    present.map((i) => (within === undefined ? "all" : String(rows[i]![within]))),
    transforms,
  );
  const scoreOf = new Map(present.map((row, i) => [row, scores[i]!]));
  return { rows: rows.map((row, i) => ({ ...row, [column]: scoreOf.get(i) ?? null })), applied };
};

const isMissing = (cell: Row[string]): boolean =>
  cell === undefined || cell === null || ["", "NA", "NaN", "nan", "null"].includes(String(cell).trim());
