import { describe, expect, it } from "vitest";
import type { Kernels } from "../../../src/runtime/kernels/index.ts";
import { layPlanes, packWeights, tapOffsets, type Window } from "../../../src/runtime/kernels/pack.ts";
import { gatheredBytes, isCrowded, packSparse } from "../../../src/runtime/kernels/pack-sparse.ts";
import { type Bed, coldAndWarm, expectClose, freshKernels, noise, variants } from "./bed.ts";
import { convolve, nameOf, windowOf, windows } from "./windows.ts";

const names = ["spread", "conv", "sparseConv"] as const;

/** `values` with about two of three set to 0, and the first row (of `count`) wholly. */
const thinned = (values: Float32Array, count: number) =>
  values.map((value, i) => (i < count || value > -0.3 ? 0 : value));

interface Case {
  readonly form: "conv" | "sparseConv";
  readonly window: Window;
  readonly channels: number;
  readonly outputs: number;
  readonly residual: "none" | "apart" | "in place";
  readonly clamp: readonly [number, number];
}

/** Lays a case out and returns how to run it, and where its result comes to lie. */
function lay({ bed, kernels }: { bed: Bed; kernels: Kernels<(typeof names)[number]> }, c: Case) {
  const { window: v, channels, outputs } = c;
  const gathers = c.form === "sparseConv" && isCrowded(v);
  const planes = layPlanes(v, gathers ? Number.POSITIVE_INFINITY : undefined);
  const count = channels * planes.taps.length;
  const x = noise(channels * v.h * v.w, 1);
  const drawn = noise(outputs * count, 2);
  const weights = c.form === "conv" ? drawn : thinned(drawn, count);
  const bias = noise(outputs, 3);
  const residual = noise(outputs * v.oh * v.ow, 4);
  const source = bed.put(x);
  const spreadTo = planes.spread === undefined ? source : bed.room((channels * planes.channelBytes) / 4);
  const taps = tapOffsets(planes, channels);
  const offsets = bed.put(taps);
  const packed = bed.put(packWeights(weights, outputs, count));
  const packedTaps = gathers ? tapOffsets({ ...planes, channelBytes: gatheredBytes }, channels) : taps;
  const stream = bed.put(packSparse(weights, outputs, packedTaps));
  const room = gathers ? [bed.room((channels * gatheredBytes) / 4), channels, planes.channelBytes] : [0, 0, 0];
  const biasAt = bed.put(bias);
  const apart = c.residual === "apart" ? bed.put(residual) : 0;
  const dst = c.residual === "in place" ? bed.put(residual) : bed.room(residual.length);
  const run = () => {
    if (c.residual === "in place") new Float32Array(bed.memory.buffer, dst, residual.length).set(residual);
    if (planes.spread !== undefined) kernels.spread(source, spreadTo, channels, ...planes.spread, 0);
    const add = c.residual === "in place" ? dst : apart;
    const { oh, ow, rowBytes } = planes;
    if (c.form === "conv")
      kernels.conv(spreadTo, offsets, count, packed, biasAt, add, dst, outputs, oh, ow, rowBytes, ...c.clamp);
    else kernels.sparseConv(spreadTo, stream, biasAt, add, dst, outputs, oh, ow, rowBytes, ...c.clamp, ...room);
    return bed.floats(dst, residual.length);
  };
  const pixels = v.oh * v.ow;
  const expected = convolve(x, v, channels, weights, outputs).map((sum, i) => {
    const value = sum + bias[Math.floor(i / pixels)]! + (c.residual === "none" ? 0 : residual[i]!);
    return Math.min(Math.max(value, c.clamp[0]), c.clamp[1]);
  });
  return { run, expected };
}

const open = [-Infinity, Infinity] as const;
const warmCase: Omit<Case, "form"> = { window: windows[0]!, channels: 2, outputs: 3, residual: "none", clamp: open };
const warmCases = [warmCase, { ...warmCase, window: windows[2]! }, { ...warmCase, window: windowOf([1, 32], [1, 1]) }];

describe.each(variants)("convolutions, %s", (variant) => {
  it.each(["conv", "sparseConv"] as const)("%s agrees with float64 on odd shapes, cold and warm", async (form) => {
    const fresh = await freshKernels(names, variant);
    const check = () => {
      const more = [
        windowOf([2, 39], [3, 3], { pads: [1, 1, 1, 1] }),
        windowOf([5, 8], [1, 1]),
        windowOf([16, 8], [1, 1]),
      ];
      for (const window of [...windows, ...more])
        for (const [channels, outputs] of [
          [1, 1],
          [3, 5],
          [2, 8],
          [5, 11],
        ] as const)
          for (const residual of ["none", "apart", "in place"] as const) {
            const clamp = residual === "apart" ? ([-0.5, 0.75] as const) : open;
            fresh.bed.clear();
            const { run, expected } = lay(fresh, { form, window, channels, outputs, residual, clamp });
            expectClose(run(), expected, 1e-5, `${channels}->${outputs}, ${nameOf(window)}, residual ${residual}`);
            fresh.bed.checkGuards();
          }
    };
    let turn = 0;
    coldAndWarm(check, () => {
      fresh.bed.clear();
      lay(fresh, { form, ...warmCases[turn++ % warmCases.length]! }).run();
    });
  });

  it("keeps NaN through the clamp", async () => {
    const fresh = await freshKernels(names, variant);
    const { run } = lay(fresh, {
      form: "conv",
      window: windowOf([8, 8], [1, 1]),
      channels: 1,
      outputs: 1,
      residual: "none",
      clamp: [0, 6],
    });
    run();
    new Float32Array(fresh.bed.memory.buffer, 1024, 1)[0] = Number.NaN;
    expect(Array.from(run(), Number.isNaN)).toEqual(Array.from({ length: 64 }, (_, i) => i === 0));
  });
});
