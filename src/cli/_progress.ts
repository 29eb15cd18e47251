/**
 * Progress of long work, on standard error: a bar with the time left on a terminal, and below it the curves of a training;
 * elsewhere a plain line now and then.
 * Nothing is shown of work that is over within two seconds (half a second on a terminal).
 */
import cliProgress, { type MultiBar, type Options, type SingleBar } from "cli-progress";
import { formatDuration } from "../report/format.ts";

/** A piece of work whose progress is shown. */
export interface Progress {
  /** `done` of `total`, with details such as the loss, and a line of curves where there are any. */
  update(done: number, total: number, detail?: string, curves?: string): void;
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
  let lines: Lines | undefined;
  return {
    update(done, total, detail = "", curves = "") {
      const left = timeLeft(done, total);
      if (lines === undefined) {
        if (performance.now() - begun < quietMs.terminal) return;
        lines = startLines(stream, { what, left, detail });
      }
      lines.show(Math.round((1000 * done) / total), { what, left, detail }, curves);
    },
    stop: () => lines?.stop(),
  };
}

interface BarText {
  readonly what: string;
  readonly left: string;
  readonly detail: string;
}

/** A bar, with a line of curves below from the first time there are any. */
interface Lines {
  show(thousandths: number, text: BarText, curves: string): void;
  stop(): void;
}

function startLines(stream: NodeJS.WriteStream, first: BarText): Lines {
  const format = barFormat(stream);
  const single = new cliProgress.SingleBar(format);
  let both: { readonly all: MultiBar; readonly bar: SingleBar; readonly curves: SingleBar } | undefined;
  single.start(1000, 0, first);
  return {
    show(thousandths, text, curves) {
      if (curves !== "" && both === undefined) {
        single.stop();
        const all = new cliProgress.MultiBar({ ...format, gracefulExit: false });
        const curveFormat = (_: unknown, __: unknown, { line }: { line: string }) => cut(line, stream);
        both = {
          all,
          bar: all.create(1000, thousandths, text),
          curves: all.create(1, 0, { line: curves }, { format: curveFormat }),
        };
      }
      (both?.bar ?? single).update(thousandths, text);
      both?.curves.update(0, { line: curves });
    },
    stop: () => (both === undefined ? single.stop() : both.all.stop()),
  };
}

const cut = (line: string, stream: NodeJS.WriteStream) => line.slice(0, Math.max(20, (stream.columns ?? 80) - 1));

const barFormat = (stream: NodeJS.WriteStream): Options => ({
  stream,
  clearOnComplete: true,
  hideCursor: true,
  barsize: 24,
  format: (options, params, { what, left, detail }: BarText) => {
    const percent = `${Math.floor(params.progress * 100)} %`.padStart(5);
    const line = `${what} ${cliProgress.Format.BarFormat(params.progress, options)} ${percent}  ${left}`;
    return cut(detail === "" ? line : `${line}  ${detail}`, stream);
  },
  barCompleteChar: "█",
  barIncompleteChar: "░",
});

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
