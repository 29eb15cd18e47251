/**
 * Command-line options from a zod schema, and back: one schema gives flags, help, defaults, checks and types.
 * `maxDrop: number` becomes `--max-drop <number>`; a boolean that is on by default becomes `--no-…`; lists are written with
 * commas; the fields of a nested object become flags of their own. Numbers may be fractions: `1/255`.
 */
import { type Command, Option } from "commander";
import { z } from "zod";
import { NetpareError } from "../tensor/error.ts";

type Kind = "number" | "integer" | "boolean" | "string" | "numbers" | "strings";

/** One flag, with the path of the field it sets. */
interface Flag {
  readonly path: readonly string[];
  readonly kind: Kind;
  readonly name: string;
  readonly metavar: string;
  readonly description: string;
  readonly fallback: unknown;
}

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** Adds a flag to `command` for each field of `schema`; `groups` puts fields under headings of the help. */
export function addSchemaOptions(
  command: Command,
  schema: z.ZodObject,
  groups: Readonly<Record<string, readonly string[]>>,
): void {
  for (const flag of flagsOf(schema)) {
    const { fallback, kind, metavar, name } = flag;
    const shown = fallback === undefined || kind === "boolean" ? "" : ` (default: ${formatDefault(fallback)})`;
    const form = kind === "boolean" ? (fallback === true ? `--no-${name}` : `--${name}`) : `--${name} <${metavar}>`;
    const description = kind === "boolean" && fallback === true ? `turn off: ${flag.description}` : flag.description;
    const option = new Option(form, `${description}${shown}`);
    const group = Object.keys(groups).find((heading) => groups[heading]?.includes(flag.path[0] ?? ""));
    command.addOption(group === undefined ? option : option.helpGroup(`${group}:`));
  }
}

/**
 * What the user gave, checked and filled up by `schema`.
 * @param given commander's options by camel-case name
 * @throws NetpareError `bad-option` naming the flag, what it wants and what it got.
 */
export function readSchemaOptions<S extends z.ZodObject>(
  schema: S,
  given: Readonly<Record<string, unknown>>,
): z.output<S> {
  const flags = flagsOf(schema);
  const raw: Record<string, unknown> = {};
  for (const { path, kind, name } of flags) {
    const value = given[camelCase(name)];
    if (value === undefined || (kind === "boolean" && value === true && path.length > 0 && isDefaultOn(flags, name)))
      continue;
    assign(raw, path, typeof value === "string" ? convert(value, kind, name) : value);
  }
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  throw new NetpareError("bad-option", describeIssue(parsed.error.issues[0], flags, given));
}

function describeIssue(
  issue: z.core.$ZodIssue | undefined,
  flags: readonly Flag[],
  given: Readonly<Record<string, unknown>>,
): string {
  const flag = flags.find(({ path }) => path.every((part, i) => part === issue?.path[i]));
  if (flag === undefined) return issue?.message ?? "the options do not fit";
  const found = given[camelCase(flag.name)];
  if (found === undefined) return `--${flag.name} is required: ${flag.description}`;
  const vague = issue === undefined || issue.code === "invalid_union" || issue.code === "invalid_value";
  return `--${flag.name} ${String(found)}: ${vague ? `expected ${flag.metavar}` : issue.message}`;
}

function isDefaultOn(flags: readonly Flag[], name: string): boolean {
  return flags.some((flag) => flag.name === name && flag.fallback === true);
}

function flagsOf(schema: z.ZodObject): Flag[] {
  return flatten(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }), []);
}

function flatten(schema: JsonSchema, path: readonly string[]): Flag[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, field]): Flag[] => {
    if (typeof field === "boolean") return [];
    const at = [...path, key];
    if (field.type === "object") return flatten(field, at);
    const choices = choicesOf(field);
    const kind = kindOf(field, choices);
    const metavar = typeof field.metavar === "string" ? field.metavar : (choices?.join("|") ?? metavars[kind]);
    const { description = "", default: fallback } = field;
    return [{ path: at, kind, name: kebabCase(key), metavar, description, fallback }];
  });
}

const metavars: Record<Kind, string> = {
  number: "number",
  integer: "integer",
  boolean: "",
  string: "text",
  numbers: "numbers",
  strings: "names",
};

function choicesOf(field: JsonSchema): readonly unknown[] | undefined {
  const union = field.anyOf?.map((member) => (typeof member === "boolean" ? undefined : member.const));
  return field.enum ?? (union?.every((choice) => choice !== undefined) ? union : undefined);
}

function kindOf(field: JsonSchema, choices: readonly unknown[] | undefined): Kind {
  if (choices !== undefined) return choices.every((choice) => typeof choice === "number") ? "number" : "string";
  if (field.type === "array") {
    const { items } = field;
    const numeric = typeof items === "object" && !Array.isArray(items) && "type" in items && items.type !== "string";
    return numeric ? "numbers" : "strings";
  }
  if (field.type === "number" || field.type === "integer" || field.type === "boolean") return field.type;
  return "string";
}

function convert(text: string, kind: Kind, name: string): unknown {
  switch (kind) {
    case "number":
    case "integer":
      return toNumber(text, name);
    case "numbers":
      return text.split(",").map((part) => toNumber(part, name));
    case "strings":
      return text.split(",").map((part) => part.trim());
    case "boolean":
    case "string":
      return text;
  }
}

function toNumber(text: string, name: string): number {
  const [numerator = "", denominator = "1", ...more] = text.split("/").map((part) => part.trim());
  const value = Number(numerator) / Number(denominator);
  if (numerator === "" || denominator === "" || more.length > 0 || !Number.isFinite(value))
    throw new NetpareError("bad-option", `--${name} wants a number and got '${text}'`);
  return value;
}

function assign(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [head = "", ...rest] = path;
  if (rest.length === 0) {
    target[head] = value;
    return;
  }
  const inner = (target[head] ?? {}) as Record<string, unknown>;
  target[head] = inner;
  assign(inner, rest, value);
}

function formatDefault(value: unknown): string {
  return typeof value === "string" ? value : Array.isArray(value) ? value.join(",") || "none" : String(value);
}

const kebabCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const camelCase = (name: string) => name.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
