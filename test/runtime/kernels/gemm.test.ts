import { describe, it } from "vitest";
import { packWeights } from "../../../src/runtime/kernels/pack.ts";
import { packSparse } from "../../../src/runtime/kernels/pack-sparse.ts";
import { coldAndWarm, expectClose, freshKernels, noise, variants } from "./bed.ts";

const shapes = [
  [1, 1],
  [3, 4],
  [4, 8],
  [7, 10],
  [64, 17],
  [129, 5],
  [33, 24],
] as const;

describe.each(variants)("dense layers, %s", (variant) => {
  it("agree with float64, dense and sparse, cold and warm", async () => {
    const { bed, kernels } = await freshKernels(["gemm", "sparseGemm"], variant);
    const attempt = (sparse: boolean, count: number, outputs: number, residual: boolean) => {
      bed.clear();
      const [x, b, r] = [noise(count, 1), noise(outputs, 3), noise(outputs, 4)];
      const w = noise(count * outputs, 2).map((value) => (sparse && value < 0.3 ? 0 : value));
      const dst = residual ? bed.put(r) : bed.room(outputs);
      const [lo, hi] = residual ? [-0.4, 0.6] : [-Infinity, Infinity];
      const [xAt, bAt, add] = [bed.put(x), bed.put(b), residual ? dst : 0];
      const offsets = Int32Array.from({ length: count }, (_, k) => 4 * k);
      if (sparse) kernels.sparseGemm(xAt, bed.put(packSparse(w, outputs, offsets)), bAt, add, dst, outputs, lo, hi);
      else kernels.gemm(xAt, count, bed.put(packWeights(w, outputs, count)), bAt, add, dst, outputs, lo, hi);
      const expected = Array.from({ length: outputs }, (_, o) => {
        const sum = x.reduce((s, value, k) => s + value * w[o * count + k]!, b[o]! + (residual ? r[o]! : 0));
        return Math.min(Math.max(sum, lo), hi);
      });
      expectClose(bed.floats(dst, outputs), expected, 1e-5, `${count} -> ${outputs}`);
      bed.checkGuards();
    };
    const check = () => {
      for (const [count, outputs] of shapes)
        for (const residual of [false, true])
          for (const sparse of [false, true]) attempt(sparse, count, outputs, residual);
    };
    let turn = 0;
    coldAndWarm(check, () => attempt(turn++ % 2 === 0, 5, 3, false));
  });
});
