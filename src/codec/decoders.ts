/** The decoders of symbols by the names that `.pare` files know them by. */
import { decodeHuffman } from "./huffman-decoder.ts";
import { unpackSymbols } from "./packed-bits.ts";
import { decodeSymbols } from "./symbols-decoder.ts";

/** The `count` symbols below `alphabet` that `bytes` hold; a row of them is `row` long. */
export type Decoder = (bytes: Uint8Array, count: number, alphabet: number, row: number) => Uint8Array;

export type Decoders = Readonly<Record<"packed" | "adaptive" | "huffman", Decoder>>;

export const decoders: Decoders = {
  packed: unpackSymbols,
  adaptive: (bytes, count, alphabet, row) => decodeSymbols(bytes, count, { alphabet, row }),
  huffman: decodeHuffman,
};
