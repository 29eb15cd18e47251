/** `netpare verify`: measures a run's files again and holds its report to what it claims. */
import { z } from "zod";
import { type Check, verifyRun } from "../pipeline/verify.ts";
import { createReporter } from "./_run.ts";
import { formatTable } from "./_table.ts";
import { defineCommand } from "./define-command.ts";

export const verifyCommand = defineCommand({
  name: "verify",
  summary: "measure a run's files again; exit status 1 where a claim does not hold",
  arguments: [["<dir>", "a run's folder"]],
  options: z.object({}),
  examples: ["verify runs/resnet32", "verify runs/resnet32 --json"],
  async run({ args, host }) {
    const { checks, holds } = await verifyRun(args[0] ?? "", createReporter(host));
    const broken = checks.filter((check) => !check.holds);
    const verdict = holds
      ? `${checks.length} claims measured again, all hold`
      : `${broken.length} of ${checks.length} claims do not hold`;
    return {
      json: { holds, checks },
      text: `${formatChecks(holds ? checks : broken)}\n${verdict}`,
      exitCode: holds ? 0 : 1,
    };
  },
});

function formatChecks(checks: readonly Check[]): string {
  const rows = checks.map(({ stage, claim, claimed, measured, holds }) => [
    stage,
    claim,
    short(claimed),
    short(measured),
    holds ? "holds" : "FALSE",
  ]);
  return formatTable(["stage", "claim", "claimed", "measured", ""], rows, [0, 1]);
}

const short = (text: string) => (text.length > 24 ? `${text.slice(0, 21)}…` : text);
