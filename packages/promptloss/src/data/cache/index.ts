// The token cache: tokenized rows on disk, checked and read by index.
export { type CacheFault, TokenCacheError } from "./errors.ts";
export {
  hashFile,
  type TokenCacheKey,
  type TokenCacheKeyParts,
  tokenCacheKey,
  tokenCacheName,
} from "./key.ts";
export { markUsed, type TidyOptions, tidyCaches, tidyTokenCaches } from "./tidy.ts";
export { openTokenCache, TokenCache, type TokenCacheOptions, type TokenCacheSource } from "./token-cache.ts";
export { writeTokenCache } from "./writer.ts";
