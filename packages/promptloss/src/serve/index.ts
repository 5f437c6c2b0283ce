// A model over HTTP, as OpenAI's API.
export type { AppContext, AppPart } from "./app.ts";
export { ServeError } from "./errors.ts";
export { DEFAULT_LIMITS, type ServeLimits } from "./limits.ts";
export type { BaseModel } from "./models.ts";
export {
  type ModelServer,
  type ServeOptions,
  type ServiceOptions,
  serveModel,
  serveModels,
} from "./server.ts";
