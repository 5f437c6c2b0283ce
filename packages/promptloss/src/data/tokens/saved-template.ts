// The chat template that goes into a trained model's folder: Jinja by which a server that knows nothing of promptloss gives
// the model the tokens that training gave it.
import type { Role } from "../example.ts";
import { plainTurn } from "../rows/formats/turns.ts";
import { BoundedJinja } from "../templates/bounded-jinja.ts";
import { type Template, TemplateError } from "../templates/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import { encodePrompt } from "./tokenize.ts";

export interface SavedTemplate {
  readonly jinja: string;
  /** Whether its text becomes the tokens of training: servers encode a chat as one text, and put nothing before it. */
  readonly exact: boolean;
}

/** Servers take BOS from the template. Some tokenizers put a space before a text, but not behind BOS in it. */
const BEHIND_PREFIX = ["", " "] as const;

/** Chats that begin with each role: a template may begin with BOS in one and not in another. */
const PROBES = [["user"], ["system", "user"], ["assistant", "user"]] as const;

export async function savedTemplate(template: Template, tokenizer: Tokenizer): Promise<SavedTemplate> {
  const prefix = [...tokenizer.prefixIds].map((id) => tokenizer.tokenOf(id) ?? "").join("");
  const candidates = BEHIND_PREFIX.map((behind) => template.jinja(prefix + behind));
  const probes = await acceptedProbes(template, tokenizer);
  for (const jinja of candidates)
    if (await trainsLike(jinja, probes, tokenizer)) return { jinja, exact: true };
  return { jinja: candidates[0]!, exact: false };
}

interface Probe {
  readonly messages: readonly { readonly role: Role; readonly content: string }[];
  /** As training encodes them. */
  readonly ids: readonly number[];
}

async function acceptedProbes(template: Template, tokenizer: Tokenizer): Promise<Probe[]> {
  const probes: Probe[] = [];
  for (const roles of PROBES) {
    const messages = roles.map((role) => ({ role, content: "Who?" }));
    try {
      const prompt = template.renderPrompt(messages.map(({ role, content }) => plainTurn(role, content)));
      probes.push({ messages, ids: [...(await encodePrompt(tokenizer, prompt))] });
    } catch (error) {
      // What the template does not take, no server gives it.
      if (!(error instanceof TemplateError)) throw error;
    }
  }
  return probes;
}

async function trainsLike(jinja: string, probes: readonly Probe[], tokenizer: Tokenizer): Promise<boolean> {
  const template = new BoundedJinja(jinja);
  const variables = variablesOf(tokenizer);
  for (const { messages, ids } of probes) {
    const text = template.render({ ...variables, messages, add_generation_prompt: true });
    const given = await tokenizer.encode(text);
    if ([...given.ids].join() !== ids.join()) return false;
  }
  return true;
}

/** As servers give them to any chat template. */
function variablesOf({ special }: Tokenizer): Record<string, unknown> {
  const tokens = Object.entries(special).map(([name, text]) => [`${name}_token`, text]);
  return Object.fromEntries(tokens.filter(([, text]) => text !== undefined));
}
