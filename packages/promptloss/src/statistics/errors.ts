// What the statistics throw on purpose: a formula that can't be read, a table that doesn't fit it, a model that
// can't be estimated, a question outside the data.
import { PromptlossError, type PromptlossErrorOptions } from "../errors.ts";

/** The base of every error of the statistics. */
export class StatisticsError extends PromptlossError {}

/** A formula that can't be read or doesn't fit the table; points at the place. */
export class FormulaError extends StatisticsError {
  /** The formula as it was given. */
  readonly formula: string;
  /** Where, in UTF-16 units from 0. */
  readonly position: number;

  constructor(problem: string, formula: string, position: number, options: PromptlossErrorOptions = {}) {
    const caret = `${" ".repeat(position)}^`;
    super(`formula, position ${position + 1}: ${problem}\n  ${formula}\n  ${caret}`, options);
    this.formula = formula;
    this.position = position;
  }
}

export interface TableErrorOptions extends PromptlossErrorOptions {
  /** Row, from 0 as in the array that was given. */
  row?: number | undefined;
  column?: string | undefined;
}

/** A value in the table that the analysis can't use. */
export class TableError extends StatisticsError {
  readonly row: number | undefined;
  readonly column: string | undefined;

  constructor(message: string, { row, column, ...rest }: TableErrorOptions = {}) {
    super(message, rest);
    this.row = row;
    this.column = column;
  }
}

/** A model that has no estimate on these data. */
export class FitError extends StatisticsError {}

/** A vertex asked for of a formula without a square of the variable. */
export class NoCurveError extends StatisticsError {}

/** A prediction asked for outside the range that the data cover. */
export class ExtrapolationError extends StatisticsError {
  readonly variable: string;
  readonly value: number;
  readonly range: readonly [number, number];

  constructor(variable: string, value: number, range: readonly [number, number]) {
    super(`${variable} = ${value} lies outside the data, which cover ${range[0]} to ${range[1]}`, {
      hint: "run the study at that value, or ask inside the range: the surface is not extended beyond its data",
    });
    this.variable = variable;
    this.value = value;
    this.range = range;
  }
}
