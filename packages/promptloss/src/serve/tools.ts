// Functions that a chat may call: what requests say of them, and what generation is held to for their sake.
import { z } from "zod";
import {
  AutoCalls,
  type CallForm,
  callsGrammar,
  checkedCallForm,
  GenerationError,
  type TextGenerationOptions,
  type ToolFunction,
} from "../generation/index.ts";
import { refusedField } from "./errors.ts";
import { jsonObject } from "./fields.ts";
import type { RequestContext } from "./requests.ts";

const name = z
  .string()
  .regex(/^[\w-]{1,64}$/, { error: "letters, digits, - and _ were expected, 64 at most" });

const toolSchema = z.strictObject({
  type: z.literal("function", { error: "only functions are supported" }),
  function: z.strictObject({
    name,
    description: z.string().nullish(),
    parameters: jsonObject.nullish(),
    strict: z.boolean().nullish(),
  }),
});

const choiceSchema = z.union(
  [
    z.enum(["none", "auto", "required"]),
    z.strictObject({ type: z.literal("function"), function: z.strictObject({ name }) }),
  ],
  { error: 'expected "none", "auto", "required", or a function by its name' },
);

/** Fields of requests. */
export const TOOL_FIELDS = {
  tools: z.array(toolSchema).max(128).nullish(),
  tool_choice: choiceSchema.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
};

/** Fields of messages. */
export const messageTools = {
  tool_calls: z
    .array(
      z.strictObject({
        id: z.string(),
        type: z.literal("function"),
        function: z.strictObject({ name: z.string(), arguments: z.string() }),
      }),
    )
    .nullish(),
  tool_call_id: z.string().nullish(),
};

export type ToolFields = z.infer<z.ZodObject<typeof TOOL_FIELDS>>;

export interface CallPlan {
  /** What the prompt shows. */
  readonly tools: readonly unknown[];
  /** Undefined where none is to be called. */
  readonly form: CallForm | undefined;
  readonly names: ReadonlySet<string>;
  readonly options: Pick<TextGenerationOptions, "constraint" | "keepSpecialTokens">;
}

/**
 * @throws {ServeError} for a choice that the tools do not have
 * @throws {GenerationError} for a template without calls, and for parameters that generation can't be held to
 */
export function callPlan(fields: ToolFields, context: RequestContext): CallPlan {
  const { tools: given, tool_choice, parallel_tool_calls } = fields;
  const tools = given ?? [];
  const functions = tools.map(({ function: each }) => each);
  const names = new Set(functions.map((each) => each.name));
  const choice = tool_choice ?? "auto";
  const shown = tools.map(({ type, function: { strict: _, ...rest } }) => ({
    type,
    function: withoutNulls(rest),
  }));
  if (names.size < functions.length) throw refusedField("tools", "two functions have one name");
  if (tools.length === 0) {
    if (choice !== "none" && choice !== "auto")
      throw refusedField("tool_choice", "there are no tools to choose from");
    return { tools: [], form: undefined, names, options: {} };
  }
  if (choice === "none") return { tools: shown, form: undefined, names, options: {} };
  const form = checkedCallForm(context.template);
  if (typeof choice === "object" && !names.has(choice.function.name))
    throw refusedField("tool_choice", `there is no tool ${choice.function.name}`);
  const called = functions.filter((each) => typeof choice !== "object" || each.name === choice.function.name);
  const several = typeof choice !== "object" && parallel_tool_calls !== false;
  const options =
    choice === "auto"
      ? autoOptions(form, called, several, context)
      : heldOptions(form, called, several, context);
  return { tools: shown, form, names, options };
}

/** A call, and nothing else. */
function heldOptions(
  form: CallForm,
  functions: readonly ToolFunction[],
  several: boolean,
  { masks }: RequestContext,
): CallPlan["options"] {
  const special = masks.hasSpecial(form.begin + form.end);
  const key = JSON.stringify(["calls", functions, several]);
  const found = masks.get(key, () => callsGrammar(form, functions, { several }), { special });
  return { constraint: () => found.constraint(), ...(special && { keepSpecialTokens: true }) };
}

/** Words or calls; calls that fit their functions, where generation can be held to that. */
function autoOptions(
  form: CallForm,
  functions: readonly (ToolFunction & { readonly strict?: boolean | null | undefined })[],
  several: boolean,
  { masks }: RequestContext,
): CallPlan["options"] {
  const special = masks.hasSpecial(form.begin + form.end);
  const kept = special ? { keepSpecialTokens: true } : {};
  const strict = functions.some((each) => each.strict === true);
  const auto = AutoCalls.of(form);
  if (auto === undefined) {
    if (strict)
      throw refusedField(
        "tools",
        "strict is not supported with tool_choice auto, as this model's calls begin with no mark",
      );
    return kept;
  }
  try {
    const key = JSON.stringify(["auto", functions, several]);
    const found = masks.get(key, () => auto.grammar(functions, { several }), { special });
    return { constraint: () => auto.constraint(found), ...kept };
  } catch (error) {
    // Parameters that generation can't be held to are the model's to keep, where it is not asked for more.
    if (!(error instanceof GenerationError) || strict) throw error;
    return kept;
  }
}

function withoutNulls(of: object): object {
  return Object.fromEntries(Object.entries(of).filter(([, value]) => value !== null));
}
