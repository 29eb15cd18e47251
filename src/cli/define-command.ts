/**
 * A command is one object in one file: its name, arguments, options (a zod schema from which flags and help are made), examples,
 * and a function from these to a result. How results, progress, errors and Ctrl-C reach the user is decided here, once.
 */
import { Command } from "commander";
import type { z } from "zod";
import type { Host } from "./_host.ts";
import { addSchemaOptions, readSchemaOptions } from "./_schema-options.ts";

/** What a command tells the user: an object for `--json`, text for people, and 1 where what was asked does not hold. */
export interface CommandResult {
  readonly json: Readonly<Record<string, unknown>>;
  readonly text: string;
  readonly exitCode?: 0 | 1;
}

/** What a command is given. */
export interface CommandCall<O> {
  /** The arguments in order; a variadic one is spread at the end. */
  readonly args: readonly string[];
  readonly options: O;
  readonly host: Host;
}

export interface CommandSpec<O extends z.ZodObject> {
  readonly name: string;
  /** One line for lists. */
  readonly summary: string;
  /** As commander writes them: `<model>`, `[dir]`, `<models...>`, each with what it is. */
  readonly arguments: readonly (readonly [name: string, description: string])[];
  readonly options: O;
  /** Headings of the help, each with the options under it. */
  readonly optionGroups?: Readonly<Record<string, readonly string[]>>;
  /** Command lines, without the leading `netpare`. */
  readonly examples: readonly string[];
  run(call: CommandCall<z.output<O>>): Promise<CommandResult>;
}

/** A command that can be put into commander's tree. */
export type CliCommand = (host: Host) => Command;

/** Defines a command. */
export function defineCommand<O extends z.ZodObject>(spec: CommandSpec<O>): CliCommand {
  return (host) => {
    const command = new Command(spec.name).description(spec.summary).summary(spec.summary);
    for (const [name, description] of spec.arguments) command.argument(name, description);
    addSchemaOptions(command, spec.options, spec.optionGroups ?? {});
    command.option("--json", "print one JSON object on standard output");
    addExamples(command, spec.examples);
    command.action(async () => {
      const given = command.opts<Record<string, unknown>>();
      await host.perform(given.json === true, async () => {
        const options = readSchemaOptions(spec.options, given);
        return spec.run({ args: command.processedArgs.flat().filter((arg) => arg !== undefined), options, host });
      });
    });
    return command;
  };
}

/** A command that consists of commands. */
export function defineCommandGroup(group: {
  readonly name: string;
  readonly summary: string;
  readonly usage: string;
  readonly commands: readonly CliCommand[];
  readonly examples: readonly string[];
}): CliCommand {
  return (host) => {
    const command = new Command(group.name).description(group.summary).summary(group.summary).usage(group.usage);
    for (const inner of group.commands) command.addCommand(inner(host));
    return addExamples(command, group.examples);
  };
}

function addExamples(command: Command, examples: readonly string[]): Command {
  if (examples.length === 0) return command;
  return command.addHelpText("after", `\nExamples:\n${examples.map((line) => `  netpare ${line}`).join("\n")}`);
}
