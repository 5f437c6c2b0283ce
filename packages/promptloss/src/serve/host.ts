// The Host header: a page of another site can have its own name lead to this machine (DNS rebinding), and would then be
// let in by a browser as if it were ours. It can't name an address, nor localhost.
import { isIP } from "node:net";
import { ServeError } from "./errors.ts";

/** "[::1]:8000" → "::1"; "Localhost:8000" → "localhost". */
function nameOf(header: string): string {
  const [, bracketed, plain] = /^(?:\[(.*)\]|([^:]*))(?::\d+)?$/.exec(header.trim()) ?? [];
  return (bracketed ?? plain ?? "").toLowerCase().replace(/\.$/, "");
}

/**
 * @param hosts names that are let in beside addresses and localhost; undefined for all
 * @throws {ServeError} 403 for any other name
 */
export function checkHost(header: string | undefined, hosts: readonly string[] | undefined): void {
  if (header === undefined || hosts === undefined) return;
  const name = nameOf(header);
  if (isIP(name) !== 0 || name === "localhost" || name.endsWith(".localhost")) return;
  if (hosts.some((host) => host.toLowerCase() === name)) return;
  throw new ServeError(403, `this server is not called ${JSON.stringify(header)}`, {
    code: "host_not_allowed",
    hint: "call it by its address; or start it with --allow-host, or with a key (--api-key-env)",
  });
}
