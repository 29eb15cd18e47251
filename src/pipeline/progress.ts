/** How long work tells what it does; whoever calls decides how that looks. */

/** Where an execution tells of itself. */
export interface Reporter {
  /** A step begins or something noteworthy was found; one line for people. */
  note(text: string): void;
  /** How far the current step is: `done` of `total`, what it is, and details such as the loss. */
  progress(done: number, total: number, what: string, detail?: string): void;
}

/** Tells nobody. */
export const silentReporter: Reporter = { note: () => {}, progress: () => {} };

/** Thrown where a run was asked to stop; what was done can be resumed. */
export class Interrupted extends Error {
  constructor() {
    super("stopped; continue with --resume");
    this.name = "Interrupted";
  }
}

/** @throws Interrupted where a stop was asked for. */
export function stopIfAsked(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new Interrupted();
}
