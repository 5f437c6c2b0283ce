// A parameter's name in GGUF, by what it is for: the architecture says which module is which.
import type { Architecture } from "../config/architecture.ts";

/** What has to be done with a parameter's rows between the two arrangements. */
export interface NamedTensor {
  readonly name: string;
  /** Heads whose rows are paired, for a query's or a key's module. */
  readonly pairedHeads: number | undefined;
  readonly isNorm: boolean;
  /** Of a linear module of a layer. */
  readonly isLinear: boolean;
}

interface Role {
  readonly name: string;
  readonly pairedHeads?: number;
  readonly isNorm?: true;
  readonly isLinear?: true;
}

/** Module path → role, for one layer's modules relative to it and for the others by their whole path. */
function rolesOf(architecture: Architecture): { layer: Map<string, Role>; whole: Map<string, Role> } {
  const { names, heads, keyValueHeads } = architecture;
  const layer = new Map<string, Role>();
  const whole = new Map<string, Role>();
  const norm = (map: Map<string, Role>, module: string | undefined, name: string): void => {
    if (module !== undefined) map.set(module, { name, isNorm: true });
  };
  whole.set(names.embedding, { name: "token_embd" });
  if (names.positions !== undefined) whole.set(names.positions, { name: "position_embd" });
  whole.set(names.head, { name: "output" });
  norm(whole, names.finalNorm, "output_norm");
  norm(layer, names.attentionNorm, "attn_norm");
  norm(layer, names.attentionPostNorm, "post_attention_norm");
  norm(layer, names.mlpNorm, "ffn_norm");
  norm(layer, names.mlpPostNorm, "post_ffw_norm");
  norm(layer, names.queryNorm, "attn_q_norm");
  norm(layer, names.keyNorm, "attn_k_norm");
  const linear = (module: string, name: string, pairedHeads?: number): void =>
    void layer.set(module, { name, isLinear: true, ...(pairedHeads !== undefined && { pairedHeads }) });
  const [first, second, third] = names.attentionInputs;
  if (second === undefined || third === undefined) linear(first, "attn_qkv");
  else {
    linear(first, "attn_q", heads);
    linear(second, "attn_k", keyValueHeads);
    linear(third, "attn_v");
  }
  linear(names.attentionOutput, "attn_output");
  const [gate, up] = names.mlpInputs as [string, string?];
  if (up === undefined) linear(gate, "ffn_up");
  else {
    linear(gate, "ffn_gate");
    linear(up, "ffn_up");
  }
  linear(names.mlpOutput, "ffn_down");
  return { layer, whole };
}

/** Hugging Face's name of a parameter ("model.layers.3.mlp.up_proj.weight") → GGUF's ("blk.3.ffn_up.weight"). */
export function tensorNames(
  architecture: Architecture,
  parameters: Iterable<string>,
): Map<string, NamedTensor> {
  const { layer, whole } = rolesOf(architecture);
  const prefix = `${architecture.names.layers}.`;
  return new Map(
    [...parameters].map((parameter) => {
      const at = parameter.lastIndexOf(".");
      const [module, kind] = [parameter.slice(0, at), parameter.slice(at + 1)];
      const [index, ...rest] = module.startsWith(prefix) ? module.slice(prefix.length).split(".") : [];
      const role = index === undefined ? whole.get(module) : layer.get(rest.join("."));
      // A parameter without a role is a mistake in the table above.
      if (role === undefined) throw new RangeError(`${parameter}: has no name in GGUF`);
      const name = `${index === undefined ? "" : `blk.${index}.`}${role.name}.${kind}`;
      const { pairedHeads, isNorm = false, isLinear = false } = role;
      return [parameter, { name, pairedHeads, isNorm, isLinear }] as const;
    }),
  );
}

/**
 * Where a row of Hugging Face's arrangement lies in llama.cpp's, of a query or key with `rows` rows: in pairs that are
 * turned together, neighbors there, half a head apart here.
 */
export function pairedRow(row: number, rows: number, heads: number): number {
  const headSize = rows / heads;
  const within = row % headSize;
  const half = headSize / 2;
  return row - within + 2 * (within % half) + Math.floor(within / half);
}
