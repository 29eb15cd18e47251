/**
 * The command line. Exit status: 0; 1 where a command ran and what was asked does not hold; 2 where the input is wrong, with one
 * line on standard error; 130 after Ctrl-C. Results go to standard output, all else to standard error.
 */
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { NetpareError } from "../tensor/error.ts";
import { createHost, type Host, Stopped } from "./_host.ts";
import { endWithStarter, runReturningMemory, wantsReturningMemory } from "./_returning-memory.ts";
import type { CliCommand } from "./define-command.ts";

/** Every command, in the order of the help; each is loaded when it is needed. */
const commands: Readonly<Record<string, () => Promise<CliCommand>>> = {
  demo: async () => (await import("./demo.ts")).demoCommand,
  inspect: async () => (await import("./inspect.ts")).inspectCommand,
  evaluate: async () => (await import("./evaluate.ts")).evaluateCommand,
  bench: async () => (await import("./bench.ts")).benchCommand,
  train: async () => (await import("./train.ts")).trainCommand,
  apply: async () => (await import("./apply.ts")).applyCommand,
  optimize: async () => (await import("./optimize.ts")).optimizeCommand,
  run: async () => (await import("./run.ts")).runCommand,
  export: async () => (await import("./export.ts")).exportCommand,
  report: async () => (await import("./report.ts")).reportCommand,
  verify: async () => (await import("./verify.ts")).verifyCommand,
  methods: async () => (await import("./methods.ts")).methodsCommand,
  zoo: async () => (await import("./zoo.ts")).zooCommand,
  faces: async () => (await import("./faces.ts")).facesCommand,
};

/** The program with the command that `name` names, or with all of them where it names none. */
async function createProgram(name: string | undefined, host: Host): Promise<Command> {
  const { version, description } = readPackage();
  const program = new Command("netpare")
    .description(description)
    .version(version, "--version", "print the version")
    .helpCommand("help [command]", "print the help of a command");
  const named = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined;
  for (const load of named ? [named] : Object.values(commands)) program.addCommand((await load())(host));
  settle(program);
  return program;
}

/** Lets commander throw instead of printing and exiting, in every command of the tree. */
function settle(command: Command): void {
  command
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .helpOption("-h, --help", "print this help");
  for (const inner of command.commands) settle(inner);
}

function readPackage(): { readonly version: string; readonly description: string } {
  return JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
}

/** Says what went wrong, and returns the exit status. */
function explain(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    if (error.code === "commander.help") return 2;
    const hint = /unknown command/.test(error.message) ? "; netpare --help lists the commands" : "";
    return complain(`${error.message.replace(/^error: /, "")}${hint}`);
  }
  if (error instanceof NetpareError) return complain(error.message);
  if (error instanceof Stopped) {
    process.stderr.write(`netpare: ${error.message}\n`);
    return error.exitCode;
  }
  const reason = error instanceof Error ? error.message : String(error);
  process.stderr.write(`netpare: internal error, please report it with the command line: ${oneLine(reason)}\n`);
  if (process.env.NETPARE_DEBUG === "1" && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return 70;
}

function complain(message: string): 2 {
  process.stderr.write(`netpare: ${oneLine(message)}\n`);
  return 2;
}

const oneLine = (text: string) => text.replace(/\s*\n\s*/g, " ").trim();

/** A reader that closes its end early (`| head`) is no error. */
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

/** Runs the command here; gives the exit status. */
async function runHere(): Promise<number> {
  const host = createHost();
  try {
    const program = await createProgram(process.argv[2], host);
    await program.parseAsync(process.argv);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    host.clear();
    return explain(error);
  }
}

endWithStarter();
process.exitCode = wantsReturningMemory(process.argv)
  ? await runReturningMemory(process.argv.slice(1))
  : await runHere();
