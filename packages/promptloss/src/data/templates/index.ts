// Templates: conversations in, text with classes out.
export { ChatTemplate, type ChatTemplateOptions } from "./chat-template.ts";
export { TemplateError } from "./errors.ts";
export { NAMED_TEMPLATES, type TemplateName, type TemplateStrings } from "./named.ts";
export { PLACEHOLDERS } from "./pattern.ts";
export {
  type Prompt,
  type Rendering,
  RenderingBuilder,
  type RenderingNotes,
  type Span,
  type Target,
  type Template,
} from "./rendering.ts";
export { createTemplate, type TemplateSpec } from "./template.ts";
export { checkTrainedTurns, INPUT_SEPARATOR, type TrainedTurns } from "./turns.ts";
