/** Weights from indices: `decode` and `pairs` bit by bit, `codebookGemm` against float64. */
import { describe, expect, it } from "vitest";
import { packWeights } from "../../../src/runtime/kernels/pack.ts";
import { packIndices } from "../../../src/runtime/kernels/pack-integers.ts";
import { createRandom } from "../../../src/tensor/random.ts";
import { coldAndWarm, expectClose, freshKernels, noise, variants } from "./bed.ts";

const draw = (count: number, bits: number) => {
  const random = createRandom(bits);
  return Array.from({ length: count }, () => random.below(2 ** bits));
};

const shapes = [
  [1, 1],
  [8, 9],
  [13, 27],
  [16, 2],
  [5, 300],
] as const;

describe.each(variants)("indices, %s", (variant) => {
  it("are decoded to packed weights, block by block, cold and warm", async () => {
    const { bed, kernels } = await freshKernels(["decode", "pairs"], variant);
    const attempt = (bits: 4 | 8, outputs: number, count: number) => {
      bed.clear();
      const indices = draw(outputs * count, bits);
      const [table, scales] = [noise(2 ** bits, 1), noise(16, 3)];
      const [indicesAt, plainAt] = [bed.put(packIndices(indices, outputs, count, bits)), bed.put(table)];
      const pairsAt = bed.room(512);
      if (bits === 4) kernels.pairs(plainAt, pairsAt);
      const tableAt = bits === 4 ? pairsAt : plainAt;
      const scalesAt = bed.put(scales);
      const weights = indices.map((index, i) => Math.fround(table[index]! * scales[Math.floor(i / count)]!));
      const expected = packWeights(weights, outputs, count);
      for (let block = 0; block * 8 < outputs; block++) {
        const dst = bed.room(count * 8);
        kernels.decode(indicesAt + block * count * bits, bits, tableAt, scalesAt + block * 32, dst, count);
        const filled = Math.min(outputs - block * 8, 8);
        const inUse = (values: Float32Array) => values.filter((_, i) => i % 8 < filled);
        const wanted = expected.subarray(block * count * 8, (block + 1) * count * 8);
        expect(inUse(bed.floats(dst, count * 8)), `${bits} bits, ${outputs} x ${count}`).toEqual(inUse(wanted));
      }
      bed.checkGuards();
    };
    const check = () => {
      for (const bits of [4, 8] as const) for (const [o, k] of shapes) attempt(bits, o, k);
    };
    let turn = 0;
    coldAndWarm(check, () => attempt(turn++ % 2 ? 4 : 8, 1, 2));
  });

  it("are multiplied by a row, with scales, residual and bounds, cold and warm", async () => {
    const { bed, kernels } = await freshKernels(["codebookGemm", "pairs"], variant);
    const attempt = (bits: 4 | 8, outputs: number, count: number, residual: "none" | "apart" | "in place") => {
      bed.clear();
      const indices = draw(outputs * count, bits);
      const [table, x] = [noise(2 ** bits, 1), noise(count, 2)];
      const [scales, bias, beside] = [noise(16, 3), noise(16, 4), noise(outputs, 5)];
      const bounds = residual === "apart" ? ([-0.5, 0.75] as const) : ([-Infinity, Infinity] as const);
      const [source, indicesAt, plainAt] = [
        bed.put(x),
        bed.put(packIndices(indices, outputs, count, bits)),
        bed.put(table),
      ];
      const [pairsAt, scalesAt, biasAt] = [bed.room(512), bed.put(scales), bed.put(bias)];
      if (bits === 4) kernels.pairs(plainAt, pairsAt);
      const dst = residual === "in place" ? bed.put(beside) : bed.room(outputs);
      const add = residual === "none" ? 0 : residual === "in place" ? dst : bed.put(beside);
      const tableAt = bits === 4 ? pairsAt : plainAt;
      const end = [scalesAt, biasAt, add, dst, outputs, ...bounds] as const;
      kernels.codebookGemm(source, count, indicesAt, bits, tableAt, ...end);
      const expected = Array.from({ length: outputs }, (_, o) => {
        const sum = x.reduce((total, value, k) => total + value * table[indices[o * count + k]!]!, 0);
        const value = bias[o]! + scales[o]! * sum + (residual === "none" ? 0 : beside[o]!);
        return Math.min(Math.max(value, bounds[0]), bounds[1]);
      });
      expectClose(bed.floats(dst, outputs), expected, 1e-5, `${bits} bits, ${outputs} x ${count}, ${residual}`);
      bed.checkGuards();
    };
    const check = () => {
      for (const bits of [4, 8] as const)
        for (const [o, k] of shapes)
          for (const residual of ["none", "apart", "in place"] as const) attempt(bits, o, k, residual);
    };
    let turn = 0;
    coldAndWarm(check, () => attempt(turn++ % 2 ? 4 : 8, 9, 3, "none"));
  });
});
