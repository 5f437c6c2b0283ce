// Our side of the benchmark of evaluation: one task a request, loading the model included.
import { libtorch } from "@promptloss/torch";
import { evaluate } from "promptloss";
import { serve } from "../lib/peer.ts";
import type { Answer, Request } from "./protocol.ts";

await serve(async (line) => {
  if (!("task" in line)) return { version: libtorch().version };
  const { model, data, task, limit, dtype } = line as unknown as Request;
  const began = performance.now();
  const { scores, records, failures } = await evaluate({
    model,
    data,
    tasks: [task],
    limit,
    shots: 0,
    dtype,
  });
  const seconds = (performance.now() - began) / 1000;
  if (failures[0] !== undefined) throw failures[0].error;
  const answer: Answer = {
    seconds,
    metrics: Object.fromEntries(scores.map(({ metric, value }) => [metric, value])),
    logLikelihoods: records[task]!.map(({ logLikelihoods }) => [...(logLikelihoods ?? [])]),
  };
  return answer;
});
