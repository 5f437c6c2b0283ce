// An array can claim any length without holding anything: it is looked at before anybody walks through it.

import { ArgumentError } from "../errors.ts";

/** The elements that a list may have; the addon refuses more too. */
const most = 2 ** 24;

/** @throws {ArgumentError} for a list of more elements than any argument takes */
export function checkListLength(list: readonly unknown[]): void {
  if (list.length > most)
    throw new ArgumentError(`a list of ${list.length} elements, more than ${most}`, {
      received: `an array of ${list.length} elements`,
    });
}
