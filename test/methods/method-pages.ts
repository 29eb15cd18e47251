/** The text of `docs/methods/*.md`: a page for each method, made from its object and the head of its file. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { type Method, methods } from "../../src/methods/index.ts";

/** Text by file name. */
export function methodPages(): ReadonlyMap<string, string> {
  return new Map([["README.md", listPage()], ...methods.map((method) => [`${method.name}.md`, page(method)] as const)]);
}

function listPage(): string {
  const rows = methods.map(({ name, summary }) => `| [${name}](${name}.md) | ${summary} |`);
  const note = "Made by `npm run docs:methods` from `src/methods/`.";
  return ["# Methods", "", note, "", "| method | what it does |", "|---|---|", ...rows, ""].join("\n");
}

function page(method: Method): string {
  const { name, summary, paper, examples = [] } = method;
  const commands = examples.map((line) => `netpare apply ${name} ${line}`);
  return [
    ...[`# ${name}`, "", `${summary}.`, "", `Source: ${paper.replace(/\.$/, "")}.`, "", headOf(name), ""],
    ...(commands.length > 0 ? ["```sh", ...commands, "```", ""] : []),
    ...["| option | default | meaning |", "|---|---|---|", ...optionRows(method), ""],
    ...["Made by `npm run docs:methods`.", ""],
  ].join("\n");
}

/** The comment that opens the method's file. */
function headOf(name: string): string {
  const text = readFileSync(new URL(`../../src/methods/${name}.ts`, import.meta.url), "utf8");
  const comment = /^\/\*\*([\s\S]*?)\*\//.exec(text)?.[1];
  if (comment === undefined) throw new Error(`src/methods/${name}.ts does not open with a comment`);
  const lines = comment.split("\n").map((line) => line.replace(/^ \* ?/, "").trimEnd());
  return lines.join("\n").trim();
}

function optionRows({ params }: Method): string[] {
  const { properties = {} } = z.toJSONSchema(params, { io: "input", unrepresentable: "any" });
  return Object.entries(properties).map(([name, field]) => {
    if (typeof field === "boolean") throw new Error(`${name} has no schema`);
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    const choices = field.enum ? ` (${field.enum.join(", ")})` : "";
    const { default: fallback } = field;
    const shown = fallback === undefined || String(fallback) === "" ? "" : `\`${fallback}\``;
    return `| \`${flag}\` | ${shown} | ${`${field.description}${choices}`.replaceAll("|", "\\|")} |`;
  });
}
