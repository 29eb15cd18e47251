import { describe, it } from "vitest";
import type { Kernels } from "../../../src/runtime/kernels/index.ts";
import { layPlanes, type Window } from "../../../src/runtime/kernels/pack.ts";
import { packSums, packXnor, termsOf, xnorTables } from "../../../src/runtime/kernels/pack-binary.ts";
import { createRandom } from "../../../src/tensor/random.ts";
import { type Bed, coldAndWarm, expectClose, freshKernels, noise, variants } from "./bed.ts";
import { convolve, nameOf, windowOf, windows } from "./windows.ts";

const names = ["spread", "signBits", "xnorConv", "sums", "sparseConv", "sparseGemm"] as const;

interface Case {
  readonly form: "xnor" | "binary";
  readonly window: Window;
  readonly channels: number;
  readonly outputs: number;
  readonly residual: "none" | "apart" | "in place";
  readonly clamp: readonly [number, number];
  /** Whether a map of scales multiplies the sums. */
  readonly mapped?: boolean;
  /** Whether inputs may be 0, which has no sign. */
  readonly zeros?: boolean;
}

const upTo16 = (bytes: number) => Math.ceil(bytes / 16) * 16;

/** A case on a bed: how to run it, and what must come of it. */
function lay({ bed, kernels }: { bed: Bed; kernels: Kernels<(typeof names)[number]> }, c: Case) {
  const { window: v, channels, outputs } = c;
  const { spread, taps, channelBytes, rowBytes, oh, ow } = layPlanes(v, Number.POSITIVE_INFINITY);
  const random = createRandom(6);
  const x = noise(channels * v.h * v.w, 1).map((value) => {
    if (Math.abs(value) < 0.2 && c.zeros) return value < 0 ? -0 : 0;
    return Math.abs(value) < 0.3 ? Math.sign(value) * 1.4e-45 : value;
  });
  const signs = Uint8Array.from({ length: outputs * channels * taps.length }, () => random.below(2));
  const [scales, bias, residual] = [noise(outputs, 2), noise(outputs, 3), noise(outputs * v.oh * v.ow, 4)];
  const source = bed.put(x);
  const planes = spread === undefined ? source : bed.room((channels * channelBytes) / 4);
  const map = noise(v.oh * v.ow, 5);
  const mapAt = c.mapped ? bed.put(map) : 0;
  const [biasAt, scalesAt] = [bed.put(bias), bed.put(scales)];
  const apart = c.residual === "apart" ? bed.put(residual) : 0;
  const dst = c.residual === "in place" ? bed.put(residual) : bed.room(residual.length);
  const add = c.residual === "in place" ? dst : apart;
  const inBytes = { signs, outputs, channels, taps: taps.map((tap) => tap / 4) };
  const planeBytes = upTo16(c.form === "xnor" ? channelBytes / 4 : channelBytes);
  const plan = packXnor(inBytes, planeBytes);
  const [passBytes, cols] = [Math.ceil(channels / 4) * planeBytes, rowBytes / 4];
  const bits = bed.room(passBytes / 2);
  const [offsets, tables, pairs] = [plan.offsets, xnorTables(), new Uint8Array(plan.stream.buffer)].map(bed.put);
  const terms = spread ? termsOf(v, channels, cols) : new Int16Array(ow).fill(channels);
  const termsAt = bed.put(new Uint8Array(terms.buffer));
  const [passes, pixels8, room] = [bed.room(1), bed.room((v.h * v.w) / 4 + 1), bed.room(plan.roomBytes / 4)];
  const [, , ...places] = spread ?? [0, 0, 0, 0, 0, 0, 1, 1];
  const streamAt = bed.put(packSums({ ...inBytes, taps }, scales, planeBytes, 0, channels));
  const sums = bed.room(Math.ceil(channels / 4) * 2 * planeBytes);
  const run = () => {
    if (c.residual === "in place") new Float32Array(bed.memory.buffer, dst, residual.length).set(residual);
    if (c.form === "xnor") {
      kernels.signBits(source, bits, passes, pixels8, channels, planeBytes, v.h, v.w, ...places);
      const signs = [bits, passes, passBytes, offsets!, plan.offsets.length, tables!, pairs!, termsAt] as const;
      const rest = [outputs, oh, ow, cols, room, ...c.clamp] as const;
      kernels.xnorConv(...signs, scalesAt, mapAt, biasAt, add, dst, ...rest);
    } else {
      if (spread) kernels.spread(source, planes, channels, ...spread, 0);
      kernels.sums(planes, sums, channels, channelBytes / 4, channelBytes, planeBytes);
      kernels.sparseConv(sums, streamAt, biasAt, add, dst, outputs, oh, ow, rowBytes, ...c.clamp);
    }
    return bed.floats(dst, residual.length);
  };
  const signed = x.map((value) => Math.sign(value));
  const perOutput = channels * taps.length;
  const weights = Array.from(signs, (sign, i) => (sign ? -1 : 1) * scales[Math.floor(i / perOutput)]!);
  const pixels = v.oh * v.ow;
  const expected = convolve(c.form === "xnor" ? signed : x, v, channels, weights, outputs).map((sum, i) => {
    const scaled = c.mapped && c.form === "xnor" ? sum * map[i % pixels]! : sum;
    const value = scaled + bias[Math.floor(i / pixels)]! + (c.residual === "none" ? 0 : residual[i]!);
    return Math.min(Math.max(value, c.clamp[0]), c.clamp[1]);
  });
  return { run, expected };
}

const open = [-Infinity, Infinity] as const;
const warmCase: Omit<Case, "form"> = { window: windows[0]!, channels: 2, outputs: 4, residual: "none", clamp: open };

describe.each(variants)("binary layers, %s", (variant) => {
  it.each(["xnor", "binary"] as const)(
    "%s convolutions agree with float64 on odd shapes, cold and warm",
    async (form) => {
      const fresh = await freshKernels(names, variant);
      const attempt = (given: Omit<Case, "form">, tolerance = 1e-5) => {
        fresh.bed.clear();
        const { run, expected } = lay(fresh, { ...given, form });
        const { channels, outputs, window, residual, zeros } = given;
        const what = `${channels}->${outputs}, ${nameOf(window)}, residual ${residual}, zeros ${zeros}`;
        expectClose(run(), expected, tolerance, what);
        fresh.bed.checkGuards();
      };
      const check = () => {
        for (const window of [...windows, windowOf([3, 39], [3, 3], { pads: [1, 1, 1, 1] }), windowOf([5, 8], [1, 1])])
          for (const [channels, outputs, zeros] of [
            [1, 1, true],
            [3, 5, false],
            [9, 11, true],
            [6, 4, false],
          ] as const)
            for (const residual of ["none", "apart", "in place"] as const) {
              const clamp = residual === "apart" ? ([-0.5, 0.75] as const) : open;
              attempt({ window, channels, outputs, residual, clamp, zeros, mapped: outputs === 5 });
            }
        const wide = { window: windowOf([6, 6], [3, 3], { pads: [1, 1, 1, 1] }), channels: 130, outputs: 40 };
        attempt({ ...wide, residual: "none", clamp: open }, 5e-5);
      };
      let turn = 0;
      coldAndWarm(check, () => {
        fresh.bed.clear();
        lay(fresh, { form, ...warmCase, window: turn++ % 2 ? windows[3]! : windows[0]! }).run();
      });
    },
  );

  it("sums that fill their range stay exact", async () => {
    const fresh = await freshKernels(names, variant);
    const { bed, kernels } = fresh;
    for (const channels of [252, 256, 1300, 32767]) {
      bed.clear();
      const layer = { signs: new Uint8Array(2 * channels).fill(1, 0, channels), outputs: 2, channels, taps: [0] };
      const { offsets, stream, roomBytes } = packXnor(layer, 16);
      const [x, sums] = [bed.put(new Float32Array(channels).fill(3)), bed.room(roomBytes / 4)];
      const [scales, bias, dst] = [bed.put(Float32Array.of(1, 1)), bed.put(new Float32Array(2)), bed.room(2)];
      const passBytes = offsets.length * 16;
      const [bits, passes, pixel] = [bed.room(passBytes / 2), bed.room(1), bed.room(1)];
      const [steps, tables] = [bed.put(offsets), bed.put(xnorTables())];
      const [pairs, terms] = [stream, Int16Array.of(channels)].map(({ buffer }) => bed.put(new Uint8Array(buffer)));
      kernels.signBits(x, bits, passes, pixel, channels, 16, 1, 1, 0, 0, 0, 0, 1, 1);
      const signs = [bits, passes, passBytes, steps, offsets.length, tables, pairs!, terms!] as const;
      kernels.xnorConv(...signs, scales, 0, bias, 0, dst, 2, 1, 1, 1, sums, ...open);
      expectClose(bed.floats(dst, 2), [-channels, channels], 0, `${channels} channels`);
      bed.checkGuards();
    }
  });

  it("dense layers agree with float64", async () => {
    const { bed, kernels } = await freshKernels(names, variant);
    for (const [count, outputs] of [
      [1, 1],
      [7, 10],
      [64, 17],
      [129, 5],
    ] as const) {
      bed.clear();
      const random = createRandom(count);
      const signs = Uint8Array.from({ length: count * outputs }, () => random.below(2));
      const [x, scales, bias] = [noise(count, 1), noise(outputs, 2), noise(outputs, 3)];
      const [xAt, biasAt, dst] = [bed.put(x), bed.put(bias), bed.room(outputs)];
      const stream = bed.put(packSums({ signs, outputs, channels: count, taps: [0] }, scales, 4, 0, count));
      const sums = bed.room(Math.ceil(count / 4) * 8);
      kernels.sums(xAt, sums, count, 1, 4, 4);
      kernels.sparseGemm(sums, stream, biasAt, 0, dst, outputs, ...open);
      const expected = Array.from(bias, (b, o) =>
        x.reduce((sum, value, k) => sum + (signs[o * count + k] ? -1 : 1) * scales[o]! * value, b),
      );
      expectClose(bed.floats(dst, outputs), expected, 1e-5, `${count} -> ${outputs}`);
      bed.checkGuards();
    }
  });
});
