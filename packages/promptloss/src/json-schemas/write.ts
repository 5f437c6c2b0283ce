// Writes the JSON Schemas and the page of keys: npm run schemas.
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { jsonSchema, keysPage, SCHEMA_NAMES } from "./json-schemas.ts";

const folder = fileURLToPath(new URL("../../schemas/", import.meta.url));
mkdirSync(folder, { recursive: true });
for (const name of SCHEMA_NAMES)
  writeFileSync(`${folder}${name}.json`, `${JSON.stringify(jsonSchema(name), null, 2)}\n`);
writeFileSync(fileURLToPath(new URL("../../../../docs/keys.md", import.meta.url)), keysPage());
