/** The coders on the weights of a trained network, against the entropies of its layers. */
import { describe, expect, it } from "vitest";
import { entropyBits } from "../../src/codec/entropy.ts";
import { encodeHuffman } from "../../src/codec/huffman-encoder.ts";
import { decodeSymbols } from "../../src/codec/symbols-decoder.ts";
import { encodeSymbols } from "../../src/codec/symbols-encoder.ts";
import { haveSharedModels, needsShared, sharedModel } from "../shared-models.ts";

/** The kernels of MLPerf Tiny's ResNet-8. */
async function kernels() {
  const { initializers } = await sharedModel("mlperftiny_resnet8_cifar10");
  return [...initializers.values()]
    .filter((t) => t.dtype === "float32" && t.shape.length === 4)
    .map((t) => ({ data: Float32Array.from(t.data, Number), row: t.data.length / t.shape[0]! }));
}

/** `bits`-bit integers, those below `dead` of the largest to 0; 0, then the others ascending. */
function quantize(data: Float32Array, bits: number, dead: number): Uint8Array {
  const largest = 2 ** (bits - 1) - 1;
  const most = data.reduce((a, v) => Math.max(a, Math.abs(v)), 0);
  return Uint8Array.from(data, (v) => {
    const q = Math.abs(v) < dead * most ? 0 : Math.round((v / most) * largest);
    return q === 0 ? 0 : q < 0 ? q + largest + 1 : q + largest;
  });
}

describe("trained weights", () => {
  it.skipIf(!haveSharedModels)(
    `come below their layers' entropy, and below Huffman's codes ${needsShared}`,
    async () => {
      for (const { bits, dead } of [
        { bits: 4, dead: 0 },
        { bits: 5, dead: 0.3 },
        { bits: 8, dead: 0 },
      ]) {
        let entropy = 0;
        let ours = 0;
        let huffman = 0;
        for (const { data, row } of await kernels()) {
          const symbols = quantize(data, bits, dead);
          const shape = { alphabet: 2 ** bits - 1, row };
          const bytes = encodeSymbols(symbols, shape);
          expect(decodeSymbols(bytes, symbols.length, shape)).toEqual(symbols);
          entropy += entropyBits(symbols) / 8;
          ours += bytes.length;
          huffman += encodeHuffman(symbols, shape.alphabet).length;
        }
        expect(ours).toBeLessThan(1.01 * entropy);
        expect(ours).toBeLessThan(huffman);
      }
    },
  );
});
