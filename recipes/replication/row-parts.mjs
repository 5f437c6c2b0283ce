// What the programs share that write rows for the studies.

/** `count` of a list, evenly spaced, so that all its parts are among them. */
export function spaced(list, count) {
  return Array.from({ length: count }, (_, i) => list[Math.floor((i * list.length) / count)]);
}
