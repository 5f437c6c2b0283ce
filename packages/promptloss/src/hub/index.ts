// The Hugging Face hub, without its client, which those alone load who ask the hub: repository.ts.
export { HubCache, type HubFile, type HubKind } from "./cache.ts";
export { HUB_CHANNEL, type HubMessage, hubModelFolder } from "./download-now.ts";
export { HubError, type HubErrorReason } from "./errors.ts";
export {
  fetchModelFiles,
  type HubModelName,
  hubModelName,
  hubModelOf,
  type ModelNeed,
} from "./model.ts";
export type { HubName, HubRepository } from "./repository.ts";
export { type HubOptions, type HubProgress, type HubSettings, hubSettings, isHubId } from "./settings.ts";
