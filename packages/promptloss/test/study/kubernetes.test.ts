// recipes/kubernetes: manifests that Kubernetes takes. The schema holds what they use of batch/v1's Job, by Kubernetes' API
// reference: strict, so that a key that it does not have, or has elsewhere, is found.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";

const text = readFileSync(new URL("../../../../recipes/kubernetes/study-job.yaml", import.meta.url), "utf8");

const name = z.string().regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
const quantity = z.string().regex(/^\d+(\.\d+)?([numkMGTPE]|[KMGTPE]i)?$/);
const resources = z.record(z.string(), quantity);
const count = z.int().min(0);

const container = z.strictObject({
  name,
  image: z.string(),
  command: z.array(z.string()).optional(),
  resources: z.strictObject({ requests: resources, limits: resources }).optional(),
  volumeMounts: z.array(z.strictObject({ name, mountPath: z.string().startsWith("/") })).optional(),
});

const volume = z
  .strictObject({
    name,
    configMap: z.strictObject({ name }).optional(),
    persistentVolumeClaim: z.strictObject({ claimName: name }).optional(),
  })
  .refine(
    ({ configMap, persistentVolumeClaim }) =>
      (configMap === undefined) !== (persistentVolumeClaim === undefined),
  );

const job = z.strictObject({
  apiVersion: z.literal("batch/v1"),
  kind: z.literal("Job"),
  metadata: z.strictObject({ name }),
  spec: z.strictObject({
    completionMode: z.enum(["Indexed", "NonIndexed"]),
    completions: count,
    parallelism: count,
    backoffLimitPerIndex: count,
    template: z.strictObject({
      spec: z.strictObject({
        // Those of a Job; backoffLimitPerIndex asks for Never.
        restartPolicy: z.literal("Never"),
        terminationGracePeriodSeconds: count,
        containers: z.array(container).min(1),
        volumes: z.array(volume),
      }),
    }),
  }),
});

test("the workers of a study are an Indexed Job", () => {
  const { spec } = job.parse(parse(text));
  expect(spec.completionMode).toBe("Indexed");
  expect(spec.parallelism).toBe(spec.completions);
  const [worker] = spec.template.spec.containers;
  expect(spec.template.spec.volumes.map((each) => each.name)).toEqual(
    worker!.volumeMounts!.map((each) => each.name),
  );
  expect(worker!.command!.at(-1)).toContain("promptloss study work");
});

test.each([
  ["a number in words", "completions: 8", "completions: eight"],
  ["a key in another place", "  parallelism: 8", "  restartPolicy: Never"],
  ["a resource that is no quantity", "memory: 32Gi", "memory: 32 GB"],
])("the schema refuses %s", (_, from, to) => {
  expect(text).toContain(from);
  expect(job.safeParse(parse(text.replaceAll(from, to))).success).toBe(false);
});
