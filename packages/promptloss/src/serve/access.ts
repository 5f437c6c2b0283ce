// Who may call: holders of the key where there is one, and no page of another site. A browser sends such a page's
// requests along with where it comes from, and would run those that need no reading of the response.
import { createHash, timingSafeEqual } from "node:crypto";
import { isIP } from "node:net";
import { PromptlossError } from "../errors.ts";
import { ServeError } from "./errors.ts";

/** Digests are of one length, and their comparison takes one time. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** @throws {ServeError} 401 where the header does not bear the key */
export function checkKey(header: string | undefined, key: string): void {
  if (header === undefined || !timingSafeEqual(digest(header), digest(`Bearer ${key}`)))
    throw new ServeError(401, "the API key is missing or wrong", { code: "invalid_api_key" });
}

export interface RequestOrigin {
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
  readonly host: string | undefined;
}

/** What browsers call requests that no other site made: the user's own, and those of this server's pages. */
const OWN_SITES = new Set(["none", "same-origin"]);

/**
 * Programs send neither header.
 * @throws {ServeError} 403 for a request of another origin's page
 */
export function checkOrigin({ origin, fetchSite, host }: RequestOrigin): void {
  const foreign =
    (fetchSite !== undefined && !OWN_SITES.has(fetchSite)) ||
    (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`);
  if (foreign)
    throw new ServeError(403, "pages of other origins may not call this server", {
      code: "origin_not_allowed",
      hint: "call it from a program, or through a server of your own",
    });
}

/** Whether an address leads to this machine alone. */
function isLoopback(host: string): boolean {
  if (isIP(host) === 4) return host.startsWith("127.");
  return host === "::1" || host === "localhost";
}

/** @throws {PromptlossError} for a place that other machines reach, without a key; and for a key that no header holds */
export function checkBinding(host: string, apiKey: string | undefined): void {
  if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey))
    throw new PromptlossError("the API key must be printable ASCII characters without spaces", {
      hint: "an HTTP header carries it; take letters and digits",
    });
  if (apiKey === undefined && !isLoopback(host))
    throw new PromptlossError(`${host} is open to other machines, and no key is asked for`, {
      hint: "give --api-key-env or --api-key, or listen on 127.0.0.1",
    });
}
