// What `promptloss fit` computes: the table read and prepared, each formula fitted, fits compared, the vertex found.
import {
  type AppliedTransform,
  type ComparisonRow,
  compareModels,
  type FamilyName,
  fitMixedModel,
  type MixedModelFit,
  NoCurveError,
  nearestHint,
  type QuadraticEffect,
  quadraticEffect,
  type Row,
  type ScoreTransform,
  slopeOf,
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
  /** The column of the scores' own standard errors, in the response's unit before transforms; none known where left out. */
  readonly samplingError?: string | undefined;
  readonly transforms: readonly ScoreTransform[];
  /** Only rows whose columns have these values. */
  readonly where?: Row;
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

/** @throws {StatisticsError} and its kin, {TableFileError}; each names the file */
export function fitTable(request: FitRequest): FitReport {
  const { file, formulas, family, reml, samplingError, vertex, at, level } = request;
  const notes: string[] = [];
  try {
    const read = chosen(readTable(file), request.where ?? {});
    const directed = towardBetter(read, formulas, notes);
    const derived = withWp(directed);
    if (derived !== directed && formulas.some((formula) => /\bwp\b/.test(formula)))
      notes.push("wp = plw^0.30103 was added to the table");
    const { rows, applied } = transformed(derived, request);
    const fits = formulas.map((formula) => fitMixedModel(rows, formula, { family, reml, samplingError }));
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
}

/** The rows whose columns have the values of `where`. */
function chosen(rows: readonly Row[], where: Row): readonly Row[] {
  const columns = new Set(rows.flatMap((row) => Object.keys(row)));
  for (const column of Object.keys(where))
    if (!columns.has(column))
      throw new TableError(`unknown column "${column}"`, { column, hint: nearestHint(column, columns) });
  const same = (cell: Row[string], value: Row[string]): boolean =>
    String(cell) === String(value) ||
    (typeof value === "number" && !isMissing(cell) && Number(cell) === value);
  const kept = rows.filter((row) => Object.entries(where).every(([name, value]) => same(row[name], value)));
  if (kept.length === 0 && rows.length > 0) {
    const asked = Object.entries(where).map(([name, value]) => `${name}=${value}`);
    throw new TableError(`no row has ${asked.join(" and ")}`);
  }
  return kept;
}

/** Columns of the tables that studies write. */
const resultColumns = { response: "value", metric: "metric", direction: "higher_is_better" } as const;

/**
 * A study's own table holds metrics in different units and directions. Several at once are refused, as nothing can be
 * said of their sum; one of which less is better is negated, with a note.
 */
function towardBetter(rows: readonly Row[], formulas: readonly string[], notes: string[]): readonly Row[] {
  const { response, metric, direction } = resultColumns;
  const isStudy = rows.some((row) => metric in row && response in row);
  if (!isStudy || !formulas.some((formula) => formula.split("~")[0]!.trim() === response)) return rows;
  const metrics = [...new Set(rows.map((row) => String(row[metric])))];
  if (metrics.length > 1) {
    const primary = [...new Set(rows.filter((row) => isTrue(row.primary)).map((row) => String(row[metric])))];
    throw new TableError(`the rows mix ${metrics.length} metrics: ${metrics.join(", ")}`, {
      column: metric,
      hint: `choose one: --where ${metric}=${primary[0] ?? metrics[0]}; all tasks together are what promptloss study results models`,
    });
  }
  const directions = new Set(rows.map((row) => isTrue(row[direction])));
  if (!rows.some((row) => direction in row) || !directions.has(false)) return rows;
  if (directions.size > 1)
    throw new TableError(`of some rows more is better, of others less`, {
      column: direction,
      hint: `choose one: --where ${direction}=true`,
    });
  notes.push(`less is better of ${metrics[0]}: ${response} was negated, so that more is better`);
  return rows.map((row) => (isMissing(row[response]) ? row : { ...row, [response]: -Number(row[response]) }));
}

function isTrue(cell: Row[string]): boolean {
  return String(cell) === "true";
}

/** The last fit with a square of the variable; the last of all where there is none, which says so. */
function curved(fits: readonly MixedModelFit[], variable: string): MixedModelFit {
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
}

/** The response's column with the named transforms applied; rows without a response stay without one. */
function transformed(
  rows: readonly Row[],
  { formulas, transforms, within, samplingError }: FitRequest,
): { rows: readonly Row[]; applied: readonly AppliedTransform[] } {
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
  const errorOf = (row: Row): Row => {
    const error = samplingError === undefined ? undefined : row[samplingError];
    // What is no number is refused by the fit, with its row.
    if (samplingError === undefined || isMissing(error) || Number.isNaN(Number(error))) return {};
    const group = within === undefined ? "all" : String(row[within]);
    return { [samplingError]: Number(error) * slopeOf(applied, group) };
  };
  return {
    rows: rows.map((row, i) => ({
      ...row,
      [column]: scoreOf.get(i) ?? null,
      ...(scoreOf.has(i) && errorOf(row)),
    })),
    applied,
  };
}

function isMissing(cell: Row[string]): boolean {
  return (
    cell === undefined || cell === null || ["", "NA", "NaN", "nan", "null"].includes(String(cell).trim())
  );
}
