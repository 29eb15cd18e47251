/** What a stream of symbols costs at least when each is coded by its frequency alone (Shannon 1948): the yardstick of every coder here. */

/** The zero-order entropy of all `symbols` together, in bits: Σ n(s) · log₂(N / n(s)). */
export function entropyBits(symbols: Uint8Array): number {
  const counts = new Float64Array(256);
  for (const symbol of symbols) counts[symbol]!++;
  let bits = 0;
  for (const count of counts) if (count > 0) bits += count * Math.log2(symbols.length / count);
  return bits;
}
