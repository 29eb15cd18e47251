/** What every writer of symbols holds before it begins. */
import { NetpareError } from "../tensor/error.ts";

/** @throws NetpareError `bad-option` where a symbol is not below `alphabet`. */
export function checkSymbols(symbols: Uint8Array, alphabet: number): void {
  const stray = symbols.findIndex((symbol) => symbol >= alphabet);
  if (stray < 0) return;
  throw new NetpareError("bad-option", `symbols[${stray}] is ${symbols[stray]}; expected symbols below ${alphabet}`);
}
