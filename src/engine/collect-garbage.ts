/**
 * Frees dead tensors now. Their bytes lie outside of JavaScript's heap, where the engine's own collector sees no pressure until
 * much later than a memory budget can wait.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

let collect: (() => void) | undefined;

/** Collects all garbage of this thread. */
export function collectGarbage(): void {
  if (collect === undefined) {
    setFlagsFromString("--expose-gc");
    collect = runInNewContext("gc") as () => void;
  }
  collect();
}
