// Columns of a model matrix for a list of terms: numeric variables as they are, factors by treatment contrasts or, where
// the margin is not in the model, one column a level (R's rule, Chambers and Hastie 1992, §2.4). Names as in R.
import type { Term } from "../formula/terms.ts";
import type { Variable } from "./variables.ts";

export interface DesignColumn {
  name: string;
  values: Float64Array;
}

/** The columns of `terms`, the intercept first when there is one. */
export function designColumns(
  terms: readonly Term[],
  intercept: boolean,
  variables: ReadonlyMap<string, Variable>,
  rows: number,
): DesignColumn[] {
  const columns: DesignColumn[] = [];
  if (intercept) columns.push({ name: "(Intercept)", values: new Float64Array(rows).fill(1) });
  const present = new Set(terms.map((term) => key(term.variables)));
  if (intercept) present.add("");
  for (const [at, term] of terms.entries()) columns.push(...termColumns(term, at));
  return columns;

  function termColumns(term: Term, at: number): DesignColumn[] {
    let product: DesignColumn[] | undefined;
    for (const text of term.variables) {
      const others = term.variables.filter((other) => other !== text);
      const margin =
        present.has(key(others)) || (others.length === 0 && !intercept && hasFullFactorBefore(at));
      const own = variableColumns(text, variables.get(text)!, margin);
      // The first variable's columns vary fastest, as in R.
      product = product === undefined ? own : own.flatMap((b) => product!.map((a) => times(a, b)));
    }
    return product!;
  }

  /** Without an intercept the first factor gets a column for every level; the next ones don't. */
  function hasFullFactorBefore(at: number): boolean {
    return terms
      .slice(0, at)
      .some((term) => term.variables.length === 1 && variables.get(term.variables[0]!)!.kind === "factor");
  }
}

function key(texts: readonly string[]): string {
  return [...texts].sort().join("\0");
}

function variableColumns(text: string, variable: Variable, contrasts: boolean): DesignColumn[] {
  if (variable.kind === "numeric") return [{ name: text, values: variable.values }];
  const { levels, codes } = variable;
  return levels.slice(contrasts ? 1 : 0).map((level) => {
    const code = levels.indexOf(level);
    const values = Float64Array.from(codes, (c) => (c < 0 ? Number.NaN : c === code ? 1 : 0));
    return { name: `${text}${level}`, values };
  });
}

function times(a: DesignColumn, b: DesignColumn): DesignColumn {
  return { name: `${a.name}:${b.name}`, values: a.values.map((x, i) => x * b.values[i]!) };
}
