/** What the kernels of integers and of codebooks read for weights. */

/**
 * Weights (O, C taps) as [O/8][C/2][taps][8][2], pairs of channels beside each other and what is missing 0; for `convInt8`, and with
 * one tap for `gemmInt8`.
 */
export function packPairs(weights: ArrayLike<number>, outputs: number, channels: number, taps: number): Int16Array {
  const pairs = Math.ceil(channels / 2);
  const packed = new Int16Array(Math.ceil(outputs / 8) * pairs * taps * 16);
  for (let o = 0; o < outputs; o++)
    for (let c = 0; c < channels; c++)
      for (let t = 0; t < taps; t++) {
        const block = ((o >> 3) * pairs + (c >> 1)) * taps + t;
        packed[block * 16 + (o & 7) * 2 + (c & 1)] = weights[(o * channels + c) * taps + t]!;
      }
  return packed;
}

/** Indices (O, K) of 4 or 8 bits as [O/8][K][bits bytes], the first of 8 outputs in the lowest bits; for `decode` and `codebookGemm`. */
export function packIndices(indices: ArrayLike<number>, outputs: number, count: number, bits: 4 | 8): Uint8Array {
  const packed = new Uint8Array(Math.ceil(outputs / 8) * count * bits);
  for (let o = 0; o < outputs; o++)
    for (let k = 0; k < count; k++) {
      const first = (((o >> 3) * count + k) * 8 + (o & 7)) * bits;
      packed[first >> 3]! |= indices[o * count + k]! << (first & 7);
    }
  return packed;
}
