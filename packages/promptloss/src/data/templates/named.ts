// The templates that have a name. Wordings: Alpaca's from Stanford's train.py, ChatML from OpenAI, llama2 and
// llama3 from Meta's reference code.

/** Template strings for each kind of turn; see pattern.ts for the placeholders. */
export interface TemplateStrings {
  /** Before the first turn. */
  readonly start?: string;
  /** A system turn. Without it, `userWithSystem` has to take it, or rows with one are refused. */
  readonly system?: string;
  /** The first user turn after a system turn, with the system text inside. */
  readonly userWithSystem?: string;
  readonly user: string;
  /** A user turn that has an input; `user` where it is left out. */
  readonly userWithInput?: string;
  readonly assistant: string;
  /** Exactly one user and one assistant turn. */
  readonly singleTurn?: boolean;
  /** Takes white space off both ends of every turn. */
  readonly trim?: boolean;
}

const ALPACA_END =
  "Write a response that appropriately completes the request.\n\n### Instruction:\n{instruction}";

function llama3Turn(role: string, content: string): string {
  return `<|start_header_id|>${role}<|end_header_id|>\n\n${content}`;
}

export const NAMED_TEMPLATES = {
  alpaca: {
    user: `Below is an instruction that describes a task. ${ALPACA_END}\n\n### Response:`,
    userWithInput:
      "Below is an instruction that describes a task, paired with an input that provides further context. " +
      `${ALPACA_END}\n\n### Input:\n{input}\n\n### Response:`,
    assistant: "{output}{stop}",
    singleTurn: true,
  },
  chatml: {
    system: "<|im_start|>system\n{system}<|im_end|>\n",
    user: "<|im_start|>user\n{instruction}<|im_end|>\n",
    assistant: "<|im_start|>assistant\n{output}{stop:<|im_end|>}\n",
  },
  llama2: {
    userWithSystem: "{bos}[INST] <<SYS>>\n{system}\n<</SYS>>\n\n{instruction} [/INST]",
    user: "{bos}[INST] {instruction} [/INST]",
    assistant: "{begin} {output} {stop}",
    trim: true,
  },
  llama3: {
    start: "{bos}",
    system: llama3Turn("system", "{system}<|eot_id|>"),
    user: llama3Turn("user", "{instruction}<|eot_id|>"),
    assistant: llama3Turn("assistant", "{output}{stop:<|eot_id|>}"),
    trim: true,
  },
  plain: { system: "{system}\n", user: "{instruction}", assistant: "{output}{stop}" },
} as const satisfies Record<string, TemplateStrings>;

export type TemplateName = keyof typeof NAMED_TEMPLATES;
