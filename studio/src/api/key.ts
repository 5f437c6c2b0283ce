// The key of a studio that asks for one, kept for as long as the browser's tab is open.
import { signal } from "@preact/signals";

const PLACE = "promptloss-key";

const key = signal(sessionStorage.getItem(PLACE) ?? undefined);

/** Whether the server has refused a request for want of the key; and whether one was given with it. */
export const keyWanted = signal<false | "missing" | "wrong">(false);

export function askForKey(): void {
  keyWanted.value = key.value === undefined ? "missing" : "wrong";
}

export function giveKey(text: string): void {
  sessionStorage.setItem(PLACE, text);
  key.value = text;
  keyWanted.value = false;
}

export function keyHeaders(): Record<string, string> {
  return key.value === undefined ? {} : { authorization: `Bearer ${key.value}` };
}
