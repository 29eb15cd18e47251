/** What every writer and every reader of symbols holds before it begins. */
import { type ErrorCode, NetpareError } from "../tensor/error.ts";

/** @throws NetpareError with `code` where `alphabet` is not in 1..256. */
export function checkAlphabet(alphabet: number, code: ErrorCode): void {
  if (!(alphabet >= 1 && alphabet <= 256))
    throw new NetpareError(code, `symbols: alphabet ${alphabet} is not in 1..256`);
}

/** @throws NetpareError `bad-option` where `alphabet` is not in 1..256, or a symbol is not below it. */
export function checkSymbols(symbols: Uint8Array, alphabet: number): void {
  checkAlphabet(alphabet, "bad-option");
  const stray = symbols.findIndex((symbol) => symbol >= alphabet);
  if (stray < 0) return;
  throw new NetpareError("bad-option", `symbols[${stray}] is ${symbols[stray]}; expected symbols below ${alphabet}`);
}
