/** `netpare methods`: the methods that `apply` knows, with their parameters. */
import { z } from "zod";
import { methods } from "../methods/index.ts";
import { formatFacts } from "./_table.ts";
import { defineCommand } from "./define-command.ts";

export const methodsCommand = defineCommand({
  name: "methods",
  summary: "list the methods",
  arguments: [],
  options: z.object({}),
  examples: ["methods", "methods --json", "apply prune-channels --help"],
  async run() {
    const listed = methods.map(({ name, summary, paper, params }) => {
      const { properties } = z.toJSONSchema(params, { io: "input", unrepresentable: "any" });
      return { name, summary, paper, params: properties ?? {} };
    });
    const text = methods.map(({ name, summary, paper }) => `${formatFacts([[name, summary]])}\n  ${paper}`).join("\n");
    return { json: { methods: listed }, text: `${text}\n\nOptions of a method: netpare apply METHOD --help` };
  },
});
