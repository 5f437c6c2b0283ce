// Grammars that hold generation to JSON Schemas.
export { type Expression, Grammar } from "./expression.ts";
export { compileSchema, type SchemaGrammar, schemaGrammar } from "./json-schema.ts";
export { TokenMasks, TokenTree } from "./token-masks.ts";
