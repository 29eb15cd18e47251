import { describe, it } from "vitest";
import { packWeights } from "../../../src/runtime/kernels/pack.ts";
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

describe.each(variants)("gemm, %s", (variant) => {
  it("agrees with float64, cold and warm", async () => {
    const { bed, kernels } = await freshKernels(["gemm"], variant);
    const attempt = (count: number, outputs: number, residual: boolean) => {
      bed.clear();
      const [x, w, b, r] = [noise(count, 1), noise(count * outputs, 2), noise(outputs, 3), noise(outputs, 4)];
      const dst = residual ? bed.put(r) : bed.room(outputs);
      const [lo, hi] = residual ? [-0.4, 0.6] : [-Infinity, Infinity];
      kernels.gemm(
        bed.put(x),
        count,
        bed.put(packWeights(w, outputs, count)),
        bed.put(b),
        residual ? dst : 0,
        dst,
        outputs,
        lo,
        hi,
      );
      const expected = Array.from({ length: outputs }, (_, o) => {
        const sum = x.reduce((s, value, k) => s + value * w[o * count + k]!, b[o]! + (residual ? r[o]! : 0));
        return Math.min(Math.max(sum, lo), hi);
      });
      expectClose(bed.floats(dst, outputs), expected, 1e-5, `${count} -> ${outputs}`);
      bed.checkGuards();
    };
    const check = () => {
      for (const [count, outputs] of shapes) for (const residual of [false, true]) attempt(count, outputs, residual);
    };
    coldAndWarm(check, () => attempt(5, 3, false));
  });
});
