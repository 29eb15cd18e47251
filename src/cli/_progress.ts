/**
 * Progress of long work, on standard error: a bar with the time left on a terminal, a plain line now and then elsewhere.
 * Nothing is shown of work that is over within two seconds (half a second on a terminal).
 */
import cliProgress, { type SingleBar } from "cli-progress";
import { formatDuration } from "../report/format.ts";

/** A piece of work whose progress is shown. */
export interface Progress {
  /** `done` of `total`, with details such as the loss. */
  update(done: number, total: number, detail?: string): void;
  /** Takes the bar away. */
  stop(): void;
}

const quietMs = { terminal: 500, plain: 2000 };
const lineEveryMs = 10_000;

/** Starts showing the progress of `what` on `stream`. */
export function startProgress(what: string, stream: NodeJS.WriteStream): Progress {
  return stream.isTTY ? barProgress(what, stream) : lineProgress(what, stream);
}

function barProgress(what: string, stream: NodeJS.WriteStream): Progress {
  const begun = performance.now();
  const timeLeft = createTimeLeft();
  let bar: SingleBar | undefined;
  return {
    update(done, total, detail = "") {
      const left = timeLeft(done, total);
      if (bar === undefined) {
        if (performance.now() - begun < quietMs.terminal) return;
        bar = createBar(stream);
        bar.start(1000, 0, { what, left: "", detail: "" });
      }
      bar.update(Math.round((1000 * done) / total), { what, left, detail });
    },
    stop: () => bar?.stop(),
  };
}

function createBar(stream: NodeJS.WriteStream): SingleBar {
  return new cliProgress.SingleBar({
    stream,
    clearOnComplete: true,
    hideCursor: true,
    barsize: 24,
    format: (options, params, payload: { what: string; left: string; detail: string }) => {
      const percent = `${Math.floor(params.progress * 100)} %`.padStart(5);
      const line = `${payload.what} ${cliProgress.Format.BarFormat(params.progress, options)} ${percent}  ${payload.left}`;
      return (payload.detail === "" ? line : `${line}  ${payload.detail}`).slice(
        0,
        Math.max(20, (stream.columns ?? 80) - 1),
      );
    },
    barCompleteChar: "█",
    barIncompleteChar: "░",
  });
}

function lineProgress(what: string, stream: NodeJS.WriteStream): Progress {
  const begun = performance.now();
  const timeLeft = createTimeLeft();
  let last = begun + quietMs.plain - lineEveryMs;
  return {
    update(done, total, detail) {
      const left = timeLeft(done, total);
      const now = performance.now();
      if (now - last < lineEveryMs || done >= total) return;
      last = now;
      const percent = Math.floor((100 * done) / total);
      const parts = [`${what}: ${percent} %`, left, detail ?? ""];
      stream.write(`${parts.filter((part) => part !== "").join(", ")}\n`);
    },
    stop: () => {},
  };
}

/** Tells the time left from the pace since the first call; what a resumed piece of work had done before does not count. */
function createTimeLeft(): (done: number, total: number) => string {
  let first: { readonly done: number; readonly at: number } | undefined;
  return (done, total) => {
    const at = performance.now();
    first ??= { done, at };
    const made = done - first.done;
    if (made <= 0) return "";
    const seconds = ((at - first.at) * (total - done)) / made / 1000;
    return `${formatDuration(Math.max(1, Math.round(seconds)))} left`;
  };
}
