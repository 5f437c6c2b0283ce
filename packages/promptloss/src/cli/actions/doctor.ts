import { findingsOf } from "../../doctor/findings.ts";
import { gatherFacts } from "../../doctor/gather.ts";
import { renderReport } from "../../doctor/render.ts";
import { harmlessJson, ink } from "../../terminal/index.ts";

export async function runDoctor({ json }: { json?: true }): Promise<void> {
  const facts = await gatherFacts();
  const findings = findingsOf(facts);
  const ok = findings.every(({ level }) => level !== "error");
  const text = json ? `${harmlessJson({ ok, facts, findings }, 2)}\n` : renderReport(facts, findings, ink);
  process.stdout.write(text);
  if (!ok) process.exitCode = 1;
}
