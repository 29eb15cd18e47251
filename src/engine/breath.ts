/** Lets the event loop turn during work that blocks it, so that timers fire and Ctrl-C is heard. */

const everyMs = 50;

/** A function to be awaited now and then: it gives way to the event loop where the last time is a while ago. */
export function createBreath(): () => Promise<void> | undefined {
  let last = performance.now();
  return () => {
    if (performance.now() - last < everyMs) return undefined;
    return new Promise((resolve) =>
      setImmediate(() => {
        last = performance.now();
        resolve();
      }),
    );
  };
}
