// The studio: a page over a folder of runs and studies, as a part of the service that `promptloss serve` is.
import type { AppPart } from "../serve/index.ts";
import { StudioFolder } from "./folder/studio-folder.ts";
import { studioRoutes } from "./routes.ts";

export * from "./api.ts";
export type * from "./weights/answer.ts";

/**
 * The studio's routes, for `serveModels`.
 * @param folder below which runs and studies lie
 * @throws {PromptlossError} where there is no such folder
 * @example
 * ```ts
 * import { serveModels } from "promptloss/serve";
 * import { studioPart } from "promptloss/studio";
 *
 * const server = await serveModels([], { port: 0, part: studioPart(".") });
 * console.log(new URL("/studio/", server.url).href);
 * await server.close();
 * ```
 */
export function studioPart(folder: string): AppPart {
  const opened = new StudioFolder(folder);
  return {
    guarded: "/studio/api/*",
    routes: (app, context) => studioRoutes(app, { ...context, folder: opened }),
  };
}
