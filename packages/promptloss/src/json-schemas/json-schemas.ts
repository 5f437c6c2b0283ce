// JSON Schemas of recipe, study and task files, and the page of their keys, made from the schemas that check the files.
// Editors read the first, people the second; a test holds both to what is here.
import { z } from "zod";
import { taskSchema } from "../evaluation/tasks/index.ts";
import { recipeSchema } from "../recipe/schema.ts";
import { studySchema } from "../study/plan/schema.ts";

export type SchemaName = "recipe" | "study" | "task";

/** What a JSON Schema holds, as far as it is read here. */
interface Json {
  type?: string | string[];
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  properties?: Record<string, Json>;
  required?: string[];
  items?: Json;
  anyOf?: Json[];
  oneOf?: Json[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
}

const SCHEMAS: Readonly<Record<SchemaName, z.ZodType>> = {
  recipe: recipeSchema,
  study: studySchema,
  task: taskSchema,
};

const TITLES: Readonly<Record<SchemaName, string>> = {
  recipe: "A recipe of promptloss: a training run",
  study: "A study of promptloss: a recipe, the factors that change it, the tasks that score it",
  task: "An evaluation task of promptloss",
};

export const SCHEMA_NAMES = Object.keys(SCHEMAS) as SchemaName[];

/** As a file's author writes it: defaults may be left out. */
export function jsonSchema(name: SchemaName): Json {
  const schema = z.toJSONSchema(SCHEMAS[name], {
    target: "draft-7",
    io: "input",
    unrepresentable: "any",
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema instanceof z.ZodPipe && zodSchema.def.in instanceof z.ZodTransform)
        Object.assign(jsonSchema, oneOrSeveral(zodSchema.def.out));
    },
  });
  return { ...(schema as Json), ...{ title: TITLES[name] } };
}

/** Of sources: a path, a source that is written out, or a list of either. */
function oneOrSeveral(list: z.core.$ZodType): Json {
  const { items = {} } = z.toJSONSchema(list, {
    target: "draft-7",
    io: "input",
    unrepresentable: "any",
  }) as Json;
  const one = [{ type: "string" }, items];
  return { anyOf: [...one, { type: "array", items: { anyOf: one } }] };
}

/** docs/keys.md. */
export function keysPage(): string {
  const parts = SCHEMA_NAMES.flatMap((name) => {
    const { anyOf, oneOf, ...schema } = jsonSchema(name);
    const kinds = oneOf ?? anyOf ?? [schema];
    return [
      `## ${name[0]!.toUpperCase()}${name.slice(1)} files`,
      "",
      `${TITLES[name]}. Schema: \`packages/promptloss/schemas/${name}.json\`.`,
      "",
      ...kinds.flatMap((kind) => {
        const about = kind.properties?.kind?.const;
        return [
          ...(about === undefined ? [] : [`### kind: ${String(about)}`, ""]),
          "| Key | Value | Default | What it is |",
          "|---|---|---|---|",
          ...rowsOf(kind, ""),
          "",
        ];
      }),
    ];
  });
  return [
    "# Keys",
    "",
    "All keys of recipe, study and task files. This page and the JSON Schemas are generated from what checks the files: `npm run schemas`.",
    "",
    ...parts,
  ].join("\n");
}

function rowsOf({ properties = {}, required = [] }: Json, prefix: string): string[] {
  return Object.entries(properties).flatMap(([key, value]) => {
    const path = `${prefix}${key}`;
    const standard =
      value.default === undefined ? (required.includes(key) ? "required" : "") : code(value.default);
    const own = value.properties === undefined ? kindsOf(value) : "keys below";
    const row = `| \`${path}\` | ${own} | ${standard === code({}) ? "" : standard} | ${cell(value.description ?? "")} |`;
    return [row, ...rowsOf(value, `${path}.`)];
  });
}

function code(value: unknown): string {
  return `\`${JSON.stringify(value)}\``;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

function kindsOf(json: Json): string {
  if (json.const !== undefined) return code(json.const);
  if (json.enum !== undefined) return json.enum.map(code).join(", ");
  const branches = json.anyOf ?? json.oneOf;
  if (branches !== undefined) return [...new Set(branches.map(kindsOf))].join(" or ");
  if (json.type === "array") return `list of ${json.items === undefined ? "values" : kindsOf(json.items)}`;
  if (json.type === "number" || json.type === "integer") return `${json.type}${rangeOf(json)}`;
  if (json.type === undefined) return "any";
  return [json.type].flat().join(" or ");
}

/** zod bounds whole numbers by what a double holds exactly, which tells a reader nothing. */
function rangeOf({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Json): string {
  const bounds = [
    minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER ? "" : `≥ ${minimum}`,
    exclusiveMinimum === undefined ? "" : `> ${exclusiveMinimum}`,
    maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? "" : `≤ ${maximum}`,
    exclusiveMaximum === undefined ? "" : `< ${exclusiveMaximum}`,
  ].filter((bound) => bound !== "");
  return bounds.length === 0 ? "" : ` ${bounds.join(", ")}`;
}
