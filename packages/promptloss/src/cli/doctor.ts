// `promptloss doctor`: what this machine can do, and what to do about each shortfall.
import { Command } from "commander";
import { findingsOf } from "../doctor/findings.ts";
import { gatherFacts } from "../doctor/gather.ts";
import { renderReport } from "../doctor/render.ts";
import { harmlessJson, ink } from "../terminal/index.ts";

export function doctorCommand(): Command {
  return new Command("doctor")
    .description("print what this machine can do, and what to do about each shortfall")
    .option("--json", "print facts and findings as JSON")
    .addHelpText("after", "\nExit code: 0 when everything needed works, 1 otherwise.")
    .action(async ({ json }: { json?: true }) => {
      const facts = await gatherFacts();
      const findings = findingsOf(facts);
      const ok = findings.every(({ level }) => level !== "error");
      const text = json
        ? `${harmlessJson({ ok, facts, findings }, 2)}\n`
        : renderReport(facts, findings, ink);
      process.stdout.write(text);
      if (!ok) process.exitCode = 1;
    });
}
