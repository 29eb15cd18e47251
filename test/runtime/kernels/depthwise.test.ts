import { describe, it } from "vitest";
import { layPlanes, type Window } from "../../../src/runtime/kernels/pack.ts";
import { coldAndWarm, expectClose, freshKernels, noise, variants } from "./bed.ts";
import { convolve, nameOf, windowOf, windows } from "./windows.ts";

const wide = windowOf([3, 37], [3, 3], { pads: [1, 1, 1, 1] });

describe.each(variants)("depthwise, %s", (variant) => {
  it("agrees with float64 on odd shapes, with multipliers and residuals, cold and warm", async () => {
    const { bed, kernels } = await freshKernels(["spread", "depthwise"], variant);
    const attempt = (v: Window, channels: number, multiplier: number, residual: boolean) => {
      bed.clear();
      const outputs = channels * multiplier;
      const area = v.kernel[0] * v.kernel[1];
      const pixels = v.oh * v.ow;
      const [x, w] = [noise(channels * v.h * v.w, 1), noise(outputs * area, 2)];
      const [b, r] = [noise(outputs, 3), noise(outputs * pixels, 4)];
      const { spread, channelBytes, rowBytes, oh, ow, taps } = layPlanes(v);
      const source = bed.put(x);
      const planes = spread === undefined ? source : bed.room((channels * channelBytes) / 4);
      if (spread !== undefined) kernels.spread(source, planes, channels, ...spread, 0);
      const dst = residual ? bed.put(r) : bed.room(r.length);
      const [lo, hi] = residual ? [-0.5, 0.75] : [-Infinity, Infinity];
      const [tapsAt, wAt, bAt, add] = [bed.put(taps), bed.put(w), bed.put(b), residual ? dst : 0];
      kernels.depthwise(
        ...[planes, tapsAt, area, wAt, bAt, add, dst, outputs, multiplier, channelBytes, oh, ow, rowBytes, lo, hi],
      );
      const expected = Array.from({ length: outputs }, (_, o) => {
        const c = Math.floor(o / multiplier);
        const plane = x.subarray(c * v.h * v.w, (c + 1) * v.h * v.w);
        return convolve(plane, v, 1, w.subarray(o * area), 1).map((sum, i) =>
          Math.min(Math.max(sum + b[o]! + (residual ? r[o * pixels + i]! : 0), lo), hi),
        );
      }).flat();
      expectClose(bed.floats(dst, r.length), expected, 1e-5, `${channels} x ${multiplier}, ${nameOf(v)}`);
      bed.checkGuards();
    };
    const check = () => {
      for (const v of [...windows, wide])
        for (const [channels, multiplier] of [
          [1, 1],
          [3, 1],
          [2, 3],
        ] as const)
          for (const residual of [false, true]) attempt(v, channels, multiplier, residual);
    };
    coldAndWarm(check, () => attempt(wide, 1, 1, false));
  });
});
