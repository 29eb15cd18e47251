/**
 * Reads symbols in static Huffman codes, plain or as in Deep Compression (Han et al. 2016, arXiv:1510.00149): there, what is not zero
 * stands with the number of zeros before it, a gap of limited bits; where a gap is longer, a filler zero ends it; gaps and values have
 * a code each. Byte 0 is the bits of a gap, 0 for the plain form.
 */
import { NetpareError } from "../tensor/error.ts";
import { checkAlphabet } from "./_check-symbols.ts";
import { CodeReader, decodingTable } from "./_huffman-code.ts";

/**
 * The `count` symbols below `alphabet` (1..256) that `encodeHuffman` wrote into `bytes`.
 * @throws NetpareError `bad-model` where the codes, the gaps or the length of `bytes` are not such a stream's.
 */
export function decodeHuffman(bytes: Uint8Array, count: number, alphabet: number): Uint8Array {
  checkAlphabet(alphabet, "bad-model");
  const symbols = new Uint8Array(count);
  const gapBits = bytes[0] ?? 0;
  if (gapBits > 8 || (count === 0 && bytes.length > 0)) throw new NetpareError("bad-model", "huffman: bad header");
  if (count === 0) return symbols;
  const reader = new CodeReader(bytes, 1);
  const values = decodingTable(reader.lengths(alphabet));
  if (gapBits === 0) {
    for (let i = 0; i < count; i++) symbols[i] = reader.symbol(values);
  } else {
    const gaps = decodingTable(reader.lengths(1 << gapBits));
    let i = 0;
    while (i < count) {
      i += reader.symbol(gaps);
      if (i >= count) throw new NetpareError("bad-model", "huffman: a gap leads past the end");
      symbols[i++] = reader.symbol(values);
    }
  }
  if (!reader.finished()) throw new NetpareError("bad-model", "huffman: the stream does not end with its last symbol");
  return symbols;
}
