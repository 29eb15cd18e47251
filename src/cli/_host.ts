/**
 * The process as commands see it: progress and notes on standard error, results on standard output, Ctrl-C.
 * Ctrl-C ends a command with exit status 130 and one line: at once, or, during work that can be stopped and resumed, as soon as
 * that work has left everything whole. A second Ctrl-C ends it at once in any case.
 */

import { type Progress, startProgress } from "./_progress.ts";
import type { CommandResult } from "./define-command.ts";

/** Exit status after Ctrl-C: 128 + SIGINT. */
const interruptedStatus = 130;

export interface Host {
  /** Runs work that comes to an end of its own once its signal is aborted by Ctrl-C. */
  stoppable<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** Shows the progress of a piece of work; the one before is taken away. */
  progress(what: string): Progress;
  /** A line for people, on standard error. */
  note(line: string): void;
  /** Runs a command and prints its result. */
  perform(json: boolean, run: () => Promise<CommandResult>): Promise<void>;
  /** Takes away what progress is shown. */
  clear(): void;
}

/** The host of this process. */
export function createHost(): Host {
  let stopper: AbortController | undefined;
  let shown: Progress | undefined;
  const clear = () => {
    shown?.stop();
    shown = undefined;
  };
  const onInterrupt = () => {
    if (stopper !== undefined && !stopper.signal.aborted) {
      stopper.abort();
      return;
    }
    clear();
    process.stderr.write("netpare: stopped\n");
    if (stopper === undefined) process.exit(interruptedStatus);
    // process.exit would wait for a worker inside onnxruntime; the signal's own default does not, and shells call it 130 too.
    process.removeAllListeners("SIGINT");
    process.kill(process.pid, "SIGINT");
  };
  return {
    clear,
    async stoppable(work) {
      stopper = new AbortController();
      try {
        return await work(stopper.signal);
      } finally {
        stopper = undefined;
      }
    },
    progress(what) {
      clear();
      shown = startProgress(what, process.stderr);
      return shown;
    },
    note(line) {
      clear();
      process.stderr.write(`${line}\n`);
    },
    async perform(json, run) {
      process.on("SIGINT", onInterrupt);
      process.on("SIGTERM", onInterrupt);
      try {
        const result = await run();
        clear();
        await print(json ? JSON.stringify(result.json, null, 2) : result.text);
        process.exitCode = result.exitCode ?? 0;
      } finally {
        clear();
        process.off("SIGINT", onInterrupt);
        process.off("SIGTERM", onInterrupt);
      }
    },
  };
}

function print(text: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(`${text}\n`, () => resolve()));
}

/** Thrown by a command that ended itself after Ctrl-C; its message says how to go on. */
export class Stopped extends Error {
  readonly exitCode = interruptedStatus;
}
