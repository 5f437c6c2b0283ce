// Where MLflow is and who asks, from the recipe and from the environment variables that MLflow's own client reads. Secrets
// come from the environment alone.
import type { Recipe } from "../../../../recipe/index.ts";
import { TrainingError } from "../../../errors.ts";

export interface MlflowSettings {
  /** Without user, password and trailing slash. */
  readonly trackingUri: string;
  /** By name, or by its id; the name is taken for an experiment that is made where there is none. */
  readonly experiment: { readonly name: string } | { readonly id: string };
  readonly runName: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Of one request, in ms. */
  readonly timeout: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** An experiment's name where neither recipe nor environment has one. */
export const EXPERIMENT = "promptloss";

/** MLflow's client waits 120 s; here what waits is only told sooner and sent later. */
const TIMEOUT_MS = 10_000;

/**
 * @param runName where the recipe names none
 * @throws {TrainingError} for a tracking URI that is missing or can't be used
 */
export function mlflowSettings(
  { project, runName, tags, mlflow }: Recipe["logging"],
  folderName: string,
  environment: Environment,
): MlflowSettings {
  const { MLFLOW_EXPERIMENT_NAME: name, MLFLOW_EXPERIMENT_ID: id } = given(environment);
  const named = project ?? name;
  return {
    trackingUri: trackingUri(mlflow?.trackingUri, environment).shown,
    experiment: named === undefined && id !== undefined ? { id } : { name: named ?? EXPERIMENT },
    runName: runName ?? folderName,
    tags,
    timeout: timeoutOf(environment),
  };
}

/** The header that says who asks, and all that must be shown nowhere. */
export interface MlflowAccess {
  readonly authorization: string | undefined;
  readonly secrets: readonly string[];
}

/** @param uri as the recipe has it */
export function mlflowAccess(uri: string | undefined, environment: Environment): MlflowAccess {
  const inUri = trackingUri(uri, environment);
  const {
    MLFLOW_TRACKING_USERNAME: user = inUri.user,
    MLFLOW_TRACKING_PASSWORD: password = inUri.password,
    MLFLOW_TRACKING_TOKEN: token,
  } = given(environment);
  if (user !== undefined && password !== undefined) {
    const basic = Buffer.from(`${user}:${password}`).toString("base64");
    return { authorization: `Basic ${basic}`, secrets: [password, basic] };
  }
  return token === undefined
    ? { authorization: undefined, secrets: [] }
    : { authorization: `Bearer ${token}`, secrets: [token] };
}

interface TrackingUri {
  readonly shown: string;
  readonly user?: string;
  readonly password?: string;
}

function trackingUri(inRecipe: string | undefined, environment: Environment): TrackingUri {
  const text = inRecipe ?? given(environment).MLFLOW_TRACKING_URI;
  if (text === undefined)
    throw new TrainingError("logging.reportTo names mlflow, and where its server is is not said", {
      hint: "set MLFLOW_TRACKING_URI, or logging.mlflow.trackingUri, such as http://127.0.0.1:5000",
    });
  const from = inRecipe === undefined ? "MLFLOW_TRACKING_URI" : "logging.mlflow.trackingUri";
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // Not shown: it may have a password.
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:"))
    throw new TrainingError(`${from} is no address of an MLflow server`, {
      hint: "give one that begins with http:// or https://; mlflow server serves a folder or a database",
    });
  const { username, password } = url;
  if (inRecipe !== undefined && (username !== "" || password !== ""))
    throw new TrainingError(`${from} has a user or a password in it, which would be in the run's files`, {
      hint: "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN",
    });
  url.username = "";
  url.password = "";
  url.search = "";
  url.hash = "";
  return {
    shown: url.href.replace(/\/+$/, ""),
    ...(username !== "" && { user: decodeURIComponent(username) }),
    ...(password !== "" && { password: decodeURIComponent(password) }),
  };
}

function timeoutOf(environment: Environment): number {
  const text = given(environment).MLFLOW_HTTP_REQUEST_TIMEOUT;
  if (text === undefined) return TIMEOUT_MS;
  const seconds = Number(text);
  if (!Number.isFinite(seconds) || seconds <= 0)
    throw new TrainingError(`MLFLOW_HTTP_REQUEST_TIMEOUT is ${JSON.stringify(text)}, no number of seconds`, {
      hint: "give a number above 0, or unset it",
    });
  return seconds * 1000;
}

/** A variable that is set to nothing is not set. */
function given(environment: Environment): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
}
