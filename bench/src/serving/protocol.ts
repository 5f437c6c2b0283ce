// What the sides of the benchmark of serving are asked, and what they answer.

/** A round: so many clients, each of which asks for one completion after another. */
export interface Round {
  /** Ids of a prompt for each client and request: [clients][requests]. */
  readonly prompts: readonly (readonly (readonly number[])[])[];
  /** Greedy tokens of a completion; stop tokens end none. */
  readonly tokens: number;
}

export interface RoundAnswer {
  readonly seconds: number;
  /** Of each client's first completion. */
  readonly ids: readonly (readonly number[])[];
}

export const CLIENTS = [1, 8, 32] as const;
export const REQUESTS = 1;
export const TOKENS = 48;
export const ROUNDS = 3;
