/** Runs the built command as a child process. */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll } from "vitest";

const main = fileURLToPath(new URL("../../bin/netpare.mjs", import.meta.url));

/** What a run left. */
export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run that may be interrupted. */
export interface Running {
  readonly finished: Promise<Finished>;
  interrupt(): void;
  /** Ends it as `kill -9` does. */
  kill(): void;
  /** Resolves once standard error holds `text`. */
  said(text: string): Promise<void>;
}

/** Starts `netpare` with `args`. */
export function startNetpare(args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  const child = spawn(process.execPath, [main, ...args], { env: { ...process.env, ...env } });
  let [stdout, stderr] = ["", ""];
  const listeners = new Set<() => void>();
  child.stdout.on("data", (text) => {
    stdout += text;
  });
  child.stderr.on("data", (text) => {
    stderr += text;
    for (const listener of listeners) listener();
  });
  const finished = new Promise<Finished>((resolve) => {
    child.on("close", (status) => resolve({ status, stdout, stderr }));
  });
  return {
    finished,
    interrupt: () => child.kill("SIGINT"),
    kill: () => child.kill("SIGKILL"),
    said: (text) =>
      new Promise((resolve, reject) => {
        const check = () => {
          if (!stderr.includes(text)) return;
          listeners.delete(check);
          resolve();
        };
        listeners.add(check);
        check();
        child.on("close", () => reject(new Error(`ended before it said '${text}': ${stderr}`)));
      }),
  };
}

/** Runs `netpare` to its end. */
export function runNetpare(...args: readonly string[]): Promise<Finished> {
  return startNetpare(args).finished;
}

/** Runs `netpare … --json`, which must succeed, and returns its object. */
export async function netpareJson(...args: readonly string[]) {
  const { status, stdout, stderr } = await runNetpare(...args, "--json");
  if (status !== 0) throw new Error(`netpare ${args.join(" ")} ended with ${status}: ${stderr}`);
  return JSON.parse(stdout);
}

/** A folder of the test file's own, removed after its last test; call within a file, read within tests. */
export function temporaryFolder(): (name?: string) => string {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "netpare-cli-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return (name = "") => join(folder, name);
}
