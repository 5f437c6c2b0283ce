// A reference model beside the one in training: what it makes of the rows, computed once and kept.
export { referenceCacheFolder } from "./cache.ts";
export {
  type ReferencedData,
  type ReferenceSettings,
  referencedRows,
  referenceStatistic,
} from "./rows.ts";
