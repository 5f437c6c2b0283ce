// /v1/files: upload, list, retrieve, content, delete.
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import type { Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { z } from "zod";
import { ServeError } from "../errors.ts";
import type { ServeLimits } from "../limits.ts";
import { pageFields, pageOf, queryOf } from "../lists.ts";
import type { FileStore, UploadedFile } from "./file-store.ts";

/** Bytes of a form beside the file. */
const FORM_BYTES = 64 * 1024;

const listQuery = z.strictObject({
  ...pageFields(10_000),
  order: z.enum(["asc", "desc"]).optional(),
  purpose: z.string().optional(),
});

export interface FileRoutesOptions {
  readonly files: FileStore;
  readonly limits: ServeLimits;
  /** @throws {ServeError} where a job still needs a file */
  readonly checkUnused: (id: string) => void;
  /** @throws {ServeError} where the disk that the server may use is full */
  readonly checkDisk: (bytes: number) => void;
}

export function fileRoutes(app: Hono, { files, limits, checkUnused, checkDisk }: FileRoutesOptions): void {
  const limited = bodyLimit({
    maxSize: limits.fileBytes + FORM_BYTES,
    onError: () => {
      throw new ServeError(413, `file: has more than ${limits.fileBytes} bytes`, {
        param: "file",
        code: "file_too_large",
      });
    },
  });
  app.post("/v1/files", limited, async (c) => {
    const upload = await uploadOf(c);
    checkDisk(upload.content.byteLength);
    return c.json(await files.add(upload));
  });
  app.get("/v1/files", (c) => {
    const { order = "desc", purpose, ...page } = queryOf(c, listQuery);
    const all = files.list().filter((file) => purpose === undefined || file.purpose === purpose);
    return c.json(pageOf(order === "asc" ? all.reverse() : all, page, 10_000));
  });
  app.get("/v1/files/:id", (c) => c.json(files.get(c.req.param("id"))));
  app.get("/v1/files/:id/content", (c) => {
    const content = createReadStream(files.contentPath(c.req.param("id")));
    return c.body(Readable.toWeb(content) as ReadableStream, 200, { "content-type": "application/jsonl" });
  });
  app.delete("/v1/files/:id", (c) => {
    const { id } = files.get(c.req.param("id"));
    checkUnused(id);
    files.delete(id);
    return c.json({ id, object: "file", deleted: true });
  });
}

/** @throws {ServeError} for what is no upload of a file of rows */
async function uploadOf(c: Context): Promise<UploadedFile> {
  if (!/^multipart\/form-data\b/i.test(c.req.header("content-type") ?? ""))
    throw new ServeError(415, "an upload is a form", { hint: "send content-type: multipart/form-data" });
  const form = await c.req.raw.formData().catch((cause: unknown) => {
    throw new ServeError(400, `the body is no form: ${(cause as Error).message}`, { cause });
  });
  const unknown = [...form.keys()].find((key) => key !== "file" && key !== "purpose");
  if (unknown !== undefined) throw new ServeError(400, `${unknown}: is not supported`, { param: unknown });
  const [file, ...more] = form.getAll("file");
  if (!(file instanceof File) || more.length > 0)
    throw new ServeError(400, "file: one file is expected", { param: "file" });
  const purpose = form.get("purpose");
  if (purpose !== "fine-tune")
    throw new ServeError(
      400,
      `purpose: ${JSON.stringify(purpose)} is not supported other than as "fine-tune"`,
      {
        param: "purpose",
      },
    );
  return { filename: shortName(file.name), content: new Uint8Array(await file.arrayBuffer()) };
}

/** A name to show, on one line. */
function shortName(name: string): string {
  return name.replaceAll(/\p{Cc}/gu, " ").slice(0, 255) || "file";
}
