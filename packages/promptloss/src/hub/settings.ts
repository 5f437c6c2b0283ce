// Where the hub is, who asks, and where downloads go: the environment variables of Hugging Face's own tools, and
// their cache, so that what Python has downloaded isn't downloaded again.
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { HubError } from "./errors.ts";

export interface HubProgress {
  /** The file within the repository. */
  readonly file: string;
  /** Bytes here so far, those of an earlier attempt included. */
  readonly loaded: number;
  readonly total: number;
}

export interface HubOptions {
  /** Default: HF_HUB_CACHE, HF_HOME/hub, or huggingface/hub in the user's cache folder. */
  cacheDir?: string | undefined;
  /** The hub's address. Default: HF_ENDPOINT, or the public hub. */
  endpoint?: string | undefined;
  /** For what is private or gated, and to write. Default: HF_TOKEN, or the token that `hf auth login` left. */
  token?: string | undefined;
  /** Read the cache only. Default: whether HF_HUB_OFFLINE is set. */
  offline?: boolean | undefined;
  onProgress?: ((progress: HubProgress) => void) | undefined;
}

export interface HubSettings {
  readonly cacheDir: string;
  readonly endpoint: string | undefined;
  readonly token: string | undefined;
  readonly offline: boolean;
  readonly onProgress: ((progress: HubProgress) => void) | undefined;
}

/**
 * The options, completed from the environment.
 * @throws {HubError} for a token that can be none
 */
export function hubSettings(options: HubOptions, env: NodeJS.ProcessEnv = process.env): HubSettings {
  const home = env.HF_HOME || join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "huggingface");
  const token = options.token ?? (env.HF_TOKEN || readToken(env.HF_TOKEN_PATH || join(home, "token")));
  if (token !== undefined && !token.startsWith("hf_")) {
    throw new HubError("hub-access", "the hub's token doesn't start with hf_", {
      hint: "Set HF_TOKEN to a token of your account, or unset it for what is public.",
    });
  }
  return {
    cacheDir: options.cacheDir ?? (env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE || join(home, "hub")),
    endpoint: (options.endpoint ?? (env.HF_ENDPOINT || undefined))?.replace(/\/+$/, ""),
    token,
    offline: options.offline ?? /^(1|on|yes|true)$/i.test(env.HF_HUB_OFFLINE ?? ""),
    onProgress: options.onProgress,
  };
}

function readToken(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim() || undefined;
  } catch {
    return undefined;
  }
}

/** Whether a text can be the name of a repository, `owner/name`. */
export function isHubId(path: string): boolean {
  return /^[A-Za-z0-9][\w.-]{0,95}\/[A-Za-z0-9][\w.-]{0,95}$/.test(path) && !path.includes("..");
}
