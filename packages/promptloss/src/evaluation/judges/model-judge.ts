// A judge that our own engine runs: greedy, or with the protocol's beams. Chats go through the model's own template.
import { existsSync, realpathSync } from "node:fs";
import { basename } from "node:path";
import type { TextGenerator } from "../../generation/index.ts";
import { identityOf, resolveModelPaths } from "../../generation/text/model-folder.ts";
import { modelFolder } from "../../models/gguf/model-folder.ts";
import type { Judge } from "./judge.ts";
import type { JudgeRequest } from "./protocol.ts";

export interface ModelJudgeOptions {
  /** Where the generator came from; files that change there make another judge. */
  readonly folder: string;
  /** An adapter's folder, where the generator has one beside the model's. */
  readonly adapter?: string;
  /** Requests at once; 8 where left out. */
  readonly batchSize?: number;
}

export function modelJudge(generator: TextGenerator, options: ModelJudgeOptions): Judge {
  const { folder, batchSize = 8 } = options;
  const adapter = options.adapter && modelFolder(options.adapter);
  const paths = resolveModelPaths(folder);
  return {
    // A name on the hub is one already.
    name: existsSync(folder) ? basename(realpathSync(folder)) : folder,
    identity: JSON.stringify([
      "model",
      identityOf({ ...paths, adapter: adapter ?? paths.adapter }),
      generator.template.fingerprint,
      generator.model.keptIn,
    ]),
    async reply(requests, onReply, signal) {
      for (let start = 0; start < requests.length; start += batchSize) {
        signal?.throwIfAborted();
        const batch = requests.slice(start, start + batchSize);
        const texts = await repliesOf(generator, batch, signal);
        // Of a batch that was cut short nothing is whole.
        signal?.throwIfAborted();
        texts.forEach((text, i) => {
          onReply(start + i, text);
        });
      }
    },
  };
}

/** A protocol asks all pairs in one way. */
async function repliesOf(
  generator: TextGenerator,
  batch: readonly JudgeRequest[],
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const { maxNewTokens, local } = batch[0]!;
  const results = await generator.generate(
    batch.map(({ prompt }) => prompt),
    {
      ...local,
      maxNewTokens,
      temperature: 0,
      ...(signal !== undefined && { signal }),
    },
  );
  return results.map(({ sequences }) => sequences[0]!.text);
}
