// Files to examples: the public face.

export { HubError, type HubErrorReason } from "../../hub/errors.ts";
export type { HubOptions, HubProgress } from "../../hub/settings.ts";
export type { ContainerKind } from "./containers/container.ts";
export type { SampleBy } from "./containers/plain-text.ts";
export { DataError, type DataErrorOptions, type DataErrorReason } from "./data-error.ts";
export { checkSource, type DataSource } from "./data-source.ts";
export { type DetectedFormat, detectFormat } from "./detect-format.ts";
export { EMPTY_COMPLETIONS, type EmptyCompletions } from "./empty-completions.ts";
export { resolveFiles } from "./files/resolve.ts";
export { FORMAT_NAMES, type FormatName } from "./formats/row-format.ts";
export {
  type ExampleStream,
  loadExamples,
  type ReadOptions,
  readExamples,
} from "./read-examples.ts";
export type { FileReport, RowReport, SourceReport } from "./report.ts";
export { decodeText, readTextFile } from "./text-file.ts";
