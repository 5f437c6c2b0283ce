// Files of settings in YAML: recipes, studies, tasks.
export { type Assignment, assign, parseAssignment } from "./assignments.ts";
export { type ConfigDocument, isConfigFile, readDocument } from "./document.ts";
export { ConfigFileError, type FileProblem } from "./errors.ts";
export { knownKeys } from "./known-keys.ts";
export { type LineOf, parseText } from "./parse-text.ts";
export { changedAt, placedAt, placedPath } from "./paths.ts";
export { checkDocument, faultOf, problemsOf, wordsOf } from "./problems.ts";
