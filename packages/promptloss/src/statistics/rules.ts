// Rules of what may be said, in one place: they hold for a study's findings and for the curve of one formula.

/** Fewer residual degrees of freedom carry no verdict. */
export const FEWEST_DF = 6;
