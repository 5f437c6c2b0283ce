// What the programs share that write rows for the studies.

/** Fractions in [0, 1), a sequence that is the same everywhere: a linear congruential generator's. */
export function fractions() {
  let state = 12345;
  return () => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

/** `count` of a list, evenly spaced, so that all its parts are among them. */
export function spaced(list, count) {
  return Array.from({ length: count }, (_, i) => list[Math.floor((i * list.length) / count)]);
}
