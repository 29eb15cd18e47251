import { describe, expect, it } from "vitest";
import { packIndices, packWeights } from "../../../src/runtime/kernels/pack.ts";
import { createRandom } from "../../../src/tensor/random.ts";
import { coldAndWarm, freshKernels, noise, variants } from "./bed.ts";

describe.each(variants)("decode, %s", (variant) => {
  it("gives the packed weights of every width, block by block, cold and warm", async () => {
    const { bed, kernels } = await freshKernels(["decode"], variant);
    const attempt = (bits: number, outputs: number, count: number) => {
      bed.clear();
      const random = createRandom(bits);
      const indices = Array.from({ length: outputs * count }, () => random.below(2 ** bits));
      const [table, zeros, scales] = [noise(2 ** bits, 1), noise(16, 2), noise(16, 3)];
      const [indicesAt, tableAt] = [bed.put(packIndices(indices, outputs, count, bits)), bed.put(table)];
      const [zerosAt, scalesAt] = [bed.put(zeros), bed.put(scales)];
      const weights = indices.map((index, i) => {
        const o = Math.floor(i / count);
        return Math.fround(Math.fround(table[index]! - zeros[o]!) * scales[o]!);
      });
      const expected = packWeights(weights, outputs, count);
      for (let block = 0; block * 8 < outputs; block++) {
        const dst = bed.room(count * 8);
        const [zero, scale] = [zerosAt + block * 32, scalesAt + block * 32];
        kernels.decode(indicesAt + block * count * bits, bits, tableAt, zero, scale, dst, count);
        const filled = Math.min(outputs - block * 8, 8);
        const inUse = (values: Float32Array) => values.filter((_, i) => i % 8 < filled);
        const wanted = expected.subarray(block * count * 8, (block + 1) * count * 8);
        expect(inUse(bed.floats(dst, count * 8)), `${bits} bits, ${outputs} x ${count}`).toEqual(inUse(wanted));
      }
      bed.checkGuards();
    };
    const check = () => {
      for (let bits = 1; bits <= 8; bits++)
        for (const [o, k] of [
          [1, 1],
          [8, 9],
          [13, 27],
        ] as const)
          attempt(bits, o, k);
    };
    coldAndWarm(check, () => attempt(4, 1, 2));
  });
});
