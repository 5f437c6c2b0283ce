// Preview: rows as training would see them.
export {
  type ClassTotal,
  type PreviewOptions,
  type PreviewRow,
  type PreviewToken,
  previewRow,
} from "./preview-row.ts";
export { type RenderOptions, renderPreview } from "./render.ts";
