import { describe, expect, it } from "vitest";
import type { Kernels } from "../../../src/runtime/kernels/index.ts";
import { layPlanes, tapOffsets, type Window } from "../../../src/runtime/kernels/pack.ts";
import { packPairs } from "../../../src/runtime/kernels/pack-integers.ts";
import { createRandom } from "../../../src/tensor/random.ts";
import { coldAndWarm, freshKernels, noise, variants } from "./bed.ts";
import { convolve, nameOf, windowOf, windows } from "./windows.ts";

const names = ["spreadInt8", "convInt8", "gemmInt8", "quantize", "dequantize", "addInt8"] as const;
type Fresh = Awaited<ReturnType<typeof freshKernels<(typeof names)[number]>>>;

/** Seeded integers in [low, high]. */
function integers(count: number, low: number, high: number, seed: number): number[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => low + random.below(high - low + 1));
}

/** A type of 8 bits with its zero: how kernels read it, and its bounds less zero. */
const types = {
  uint8: { zero: 17, flip: 0, low: 0, high: 255 },
  int8: { zero: -5, flip: 128, low: -128, high: 127 },
} as const;
type Type = keyof typeof types;

const bytes = (values: readonly number[]) => Uint8Array.from(values);
const asType = (got: Uint8Array, type: Type) => [...(type === "int8" ? new Int8Array(got.buffer) : got)];

/** Halves to even, as float32 sums round. */
function round(value: number): number {
  const down = Math.floor(value);
  return value - down === 0.5 ? down + (down & 1) : Math.round(value);
}

/** `round(clamp(value, lo, hi)) + zero`. */
const toByte = (value: number, lo: number, hi: number, zero: number) => round(Math.min(Math.max(value, lo), hi)) + zero;

const { fround } = Math;

function readBytes({ bed }: Fresh, at: number, count: number, type: Type): number[] {
  return asType(new Uint8Array(bed.memory.buffer, at, count).slice(), type);
}

interface Case {
  readonly window: Window;
  readonly channels: number;
  readonly outputs: number;
  readonly type: Type;
  readonly floats: boolean;
}

/** Lays a convolution out; `run` gives its result. */
function lay({ bed, kernels }: Pick<Fresh, "bed"> & { kernels: Kernels<"spreadInt8" | "convInt8"> }, c: Case) {
  const { window: v, channels, outputs, floats } = c;
  const { zero, flip, low, high } = types[c.type];
  const flat = [1, v.h * v.w, 0, 0, 1, v.h * v.w, 1, 1] as const;
  const { spread = flat, taps, channelBytes, rowBytes, oh, ow } = layPlanes(v);
  const pairs = Math.ceil(channels / 2);
  const count = channels * taps.length;
  const x = integers(channels * v.h * v.w, low, high, 1);
  const weights = integers(outputs * count, -127, 127, 2);
  const bias = integers(outputs, -9000, 9000, 3);
  const scales = noise(outputs, 4).map((value) => (value * 0.5) / Math.sqrt(count));
  const size = outputs * v.oh * v.ow;
  const src = bed.put(bytes(x));
  const planes = bed.room((pairs * channelBytes) / 4);
  const offsets = tapOffsets({ taps, channelBytes }, pairs);
  const packed = packPairs(weights, outputs, channels, taps.length);
  const given = [
    bed.put(offsets),
    offsets.length,
    bed.put(new Int32Array(packed.buffer)),
    bed.put(Int32Array.from(bias)),
  ];
  const scalesAt = bed.put(scales);
  const dst = bed.room(floats ? size : Math.ceil(size / 4));
  // A Relu in the kernel: below `zero` nothing is written.
  const [lo, hi] = floats ? [-30, 1e9] : [Math.max(low - zero, 0), high - zero];
  const room = bed.room(16);
  const run = () => {
    kernels.spreadInt8(src, planes, channels, ...spread, flip, zero + flip);
    const rest = [scalesAt, dst, outputs, oh, ow, rowBytes, lo, hi, zero, room, floats ? 1 : 0] as const;
    kernels.convInt8(planes, ...(given as [number, number, number, number]), ...rest);
  };
  const centred = x.map((value) => value - zero);
  const expected = convolve(centred, v, channels, weights, outputs).map((sum, i) => {
    const o = Math.floor(i / (v.oh * v.ow));
    const scaled = fround(fround(sum + bias[o]!) * scales[o]!);
    return floats ? Math.min(Math.max(scaled, fround(lo)), fround(hi)) : toByte(scaled, lo, hi, zero);
  });
  return { run, dst, expected };
}

describe.each(variants)("8-bit kernels, %s", (variant) => {
  it("convInt8 gives every bit, on odd shapes, cold and warm", async () => {
    const fresh = await freshKernels(names, variant);
    const attempt = (c: Case) => {
      fresh.bed.clear();
      const { run, dst, expected } = lay(fresh, c);
      run();
      const got = c.floats
        ? [...fresh.bed.floats(dst, expected.length)]
        : readBytes(fresh, dst, expected.length, c.type);
      expect(got, `${c.channels}->${c.outputs}, ${nameOf(c.window)}, ${c.type}`).toEqual(expected);
      fresh.bed.checkGuards();
    };
    const check = () => {
      for (const window of [...windows, windowOf([2, 39], [3, 3], { pads: [1, 1, 1, 1] })])
        for (const [channels, outputs] of [
          [1, 1],
          [3, 5],
          [2, 8],
          [5, 11],
        ] as const)
          for (const type of ["uint8", "int8"] as const)
            for (const floats of [false, true]) attempt({ window, channels, outputs, type, floats });
    };
    let turn = 0;
    coldAndWarm(check, () => {
      fresh.bed.clear();
      const window = windows[turn++ % 3]!;
      lay(fresh, { window, channels: 2, outputs: 3, type: "uint8", floats: turn % 2 === 0 }).run();
    });
  });

  it("gemmInt8 gives every bit, cold and warm", async () => {
    const fresh = await freshKernels(names, variant);
    const attempt = (count: number, outputs: number, type: Type) => {
      const { bed, kernels } = fresh;
      bed.clear();
      const { zero, flip, low, high } = types[type];
      const x = integers(count, low, high, 1);
      const weights = integers(outputs * count, -128, 127, 2);
      const own = integers(outputs, -9000, 9000, 3);
      const scales = noise(outputs, 4);
      const row = (o: number) => weights.slice(o * count, (o + 1) * count);
      const bias = own.map((value, o) => row(o).reduce((sum, w) => sum - (zero + flip) * w, value));
      const packed = Int8Array.from(packPairs(weights, outputs, count, 1));
      const dst = bed.room(outputs);
      const laid = [bed.put(new Uint8Array(packed.buffer)), bed.put(Int32Array.from(bias)), bed.put(scales)] as const;
      kernels.gemmInt8(bed.put(bytes(x)), Math.ceil(count / 2), ...laid, dst, outputs, flip, -1e4, Infinity);
      const expected = own.map((value, o) => {
        const sum = row(o).reduce((s, w, k) => s + w * (x[k]! - zero), value);
        return Math.max(fround(fround(sum) * scales[o]!), -1e4);
      });
      expect([...bed.floats(dst, outputs)], `${count} -> ${outputs}, ${type}`).toEqual(expected);
      bed.checkGuards();
    };
    const check = () => {
      for (const [count, outputs] of [
        [1, 1],
        [2, 8],
        [7, 10],
        [64, 17],
        [129, 5],
      ] as const)
        for (const type of ["uint8", "int8"] as const) attempt(count, outputs, type);
    };
    coldAndWarm(check, () => attempt(5, 3, "int8"));
  });

  it("quantize rounds halves to even and saturates; dequantize takes it back", async () => {
    const fresh = await freshKernels(names, variant);
    const attempt = (type: Type, count: number) => {
      const { bed, kernels } = fresh;
      bed.clear();
      const { zero, flip, low, high } = types[type];
      const levels = noise(count, 6).map((value, i) => (i % 2 === 0 ? Math.round(value * 300) / 2 : value * 400));
      const scale = 0.25;
      const x = levels.map((value) => value * scale);
      const [lo, hi] = [low - zero, high - zero];
      const [q, back] = [bed.room(Math.ceil(count / 4)), bed.room(count)];
      kernels.quantize(bed.put(x), q, count, scale, zero, lo, hi);
      const expected = Array.from(levels, (value) => toByte(value, lo, hi, zero));
      expect(readBytes(fresh, q, count, type)).toEqual(expected);
      kernels.dequantize(q, back, count, scale, flip, zero + flip);
      expect([...bed.floats(back, count)]).toEqual(expected.map((value) => (value - zero) * scale));
      bed.checkGuards();
    };
    const check = () => {
      for (const type of ["uint8", "int8"] as const) for (const count of [1, 4, 7, 101]) attempt(type, count);
    };
    coldAndWarm(check, () => attempt("uint8", 9));
  });

  it("addInt8 adds numbers of other scales and types", async () => {
    const fresh = await freshKernels(names, variant);
    const attempt = (from: Type, to: Type, count: number) => {
      const { bed, kernels } = fresh;
      bed.clear();
      const [a, b] = [types[from], types[to]];
      const [x, y] = [integers(count, a.low, a.high, 7), integers(count, b.low, b.high, 8)];
      const [s, t] = [0.5, 0.375];
      const dst = bed.put(bytes(y));
      const [lo, hi] = [0, b.high - b.zero];
      const left = [s, a.flip, a.zero + a.flip] as const;
      kernels.addInt8(bed.put(bytes(x)), dst, dst, count, ...left, t, b.flip, b.zero + b.flip, b.zero, lo, hi);
      const expected = x.map((value, i) => toByte((value - a.zero) * s + (y[i]! - b.zero) * t, lo, hi, b.zero));
      expect(readBytes(fresh, dst, count, to)).toEqual(expected);
      bed.checkGuards();
    };
    const check = () => {
      for (const to of ["uint8", "int8"] as const)
        for (const count of [1, 4, 7, 301]) for (const from of ["uint8", "int8"] as const) attempt(from, to, count);
    };
    coldAndWarm(check, () => attempt("uint8", "int8", 9));
  });
});
