// The page's files, as the build left them: small text, compressed once and kept in memory.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Context, Hono } from "hono";
import { compiledProgram } from "../compiled-program.ts";
import { PromptlossError } from "../errors.ts";
import { pageScriptHash } from "../report/html/page-script.ts";

const FOLDER = compiledProgram("../studio-page", import.meta.url);

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/**
 * Nothing but this server's own. Reports are shown in frames without an origin, which take this policy over: hence their
 * script and their styles.
 */
const POLICY = [
  "default-src 'none'",
  `script-src 'self' '${pageScriptHash}'`,
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "font-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

interface PageFile {
  readonly type: string;
  readonly plain: Buffer;
  readonly zipped: Buffer;
}

/** By path below the page's folder. @throws {PromptlossError} where the page was not built */
function pageFiles(): ReadonlyMap<string, PageFile> {
  if (!existsSync(join(FOLDER, "index.html")))
    throw new PromptlossError(`${FOLDER}: the studio's page was not built`, {
      hint: "npm run build makes it; installed packages have it",
    });
  const names = readdirSync(FOLDER, { recursive: true, encoding: "utf8" }).map((name) =>
    name.replaceAll("\\", "/"),
  );
  return new Map(
    names.flatMap((name) => {
      const type = TYPES[extname(name)];
      if (type === undefined) return [];
      const plain = readFileSync(join(FOLDER, name));
      return [[name, { type, plain, zipped: gzipSync(plain) }] as const];
    }),
  );
}

/** `/studio/` and what the page asks for. What is no file is the router's, which has a word for each. */
export function pageRoutes(app: Hono): void {
  const files = pageFiles();
  const send = (c: Context, name: string): Response | undefined => {
    const file = files.get(name);
    if (file === undefined) return undefined;
    const zips = /\bgzip\b/.test(c.req.header("accept-encoding") ?? "");
    return c.body(new Uint8Array(zips ? file.zipped : file.plain), 200, {
      "Content-Type": file.type,
      "Content-Security-Policy": POLICY,
      "X-Content-Type-Options": "nosniff",
      "Referrer-Policy": "no-referrer",
      Vary: "Accept-Encoding",
      ...(zips && { "Content-Encoding": "gzip" }),
      // Names of assets have their content's hash.
      "Cache-Control": name.startsWith("assets/") ? "public, max-age=31536000, immutable" : "no-cache",
    });
  };
  app.get("/", (c) => c.redirect("/studio/"));
  app.get("/studio", (c) => c.redirect("/studio/"));
  app.get("/studio/", (c) => send(c, "index.html")!);
  app.get("/studio/:path{.+}", (c, next) => {
    const found = send(c, c.req.param("path"));
    return found === undefined ? next() : Promise.resolve(found);
  });
}
