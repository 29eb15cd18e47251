import { describe, it } from "vitest";
import { layPlanes, type Window } from "../../../src/runtime/kernels/pack.ts";
import { coldAndWarm, expectClose, freshKernels, noise, variants } from "./bed.ts";
import { at, nameOf, pixelsOf, tapsOf, windowOf, windows } from "./windows.ts";

/** The last row and column hang over the end, as ceil_mode has it. */
const ceiled: Window = { ...windowOf([6, 7], [3, 3], { strides: [2, 2] }), oh: 3, ow: 4 };

describe.each(variants)("pool, %s", (variant) => {
  it("takes maxima and means, padding counted or not, cold and warm", async () => {
    const { bed, kernels } = await freshKernels(["spread", "pool"], variant);
    const attempt = (v: Window, channels: number, mode: "max" | "average" | "average with padding") => {
      bed.clear();
      const x = noise(channels * v.h * v.w, 1);
      const { spread, channelBytes, rowBytes, oh, ow, taps } = layPlanes(v);
      const source = bed.put(x);
      const planes = spread === undefined ? source : bed.room((channels * channelBytes) / 4);
      const fill = mode === "max" ? -Infinity : 0;
      if (spread !== undefined) kernels.spread(source, planes, channels, ...spread, fill);
      const inside = (pixel: readonly number[]) =>
        [...tapsOf(v)].flatMap((tap) => at(x, v, 0, pixel, tap) ?? []).length;
      const counts = [...pixelsOf(v)].map((pixel) => (mode === "average" ? inside(pixel) : taps.length));
      const scales = mode === "max" ? 0 : bed.put(Float32Array.from(counts, (count) => 1 / count));
      const dst = bed.room(channels * oh * ow);
      kernels.pool(planes, bed.put(taps), taps.length, scales, dst, channels, channelBytes, oh, ow, rowBytes);
      const expected = Array.from({ length: channels }, (_, c) =>
        [...pixelsOf(v)].map((pixel, i) => {
          const read = [...tapsOf(v)].map((tap) => at(x, v, c, pixel, tap) ?? fill);
          return mode === "max" ? Math.max(...read) : read.reduce((sum, value) => sum + value, 0) / counts[i]!;
        }),
      ).flat();
      expectClose(bed.floats(dst, expected.length), expected, 1e-6, `${mode}, ${channels}, ${nameOf(v)}`);
      bed.checkGuards();
    };
    // A window of padding alone has no mean.
    const met = windows.filter((v) => v.kernel[0] * v.dilations[0] > v.top && v.kernel[1] * v.dilations[1] > v.left);
    const check = () => {
      for (const v of [...met.filter((v) => v.strides[1] !== 4), ceiled])
        for (const channels of [1, 3])
          for (const mode of ["max", "average", "average with padding"] as const) attempt(v, channels, mode);
    };
    let turn = 0;
    coldAndWarm(check, () => attempt(ceiled, 1, turn++ % 2 === 0 ? "max" : "average"));
  });
});
