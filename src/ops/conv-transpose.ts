/**
 * ConvTranspose: the adjoint of the Conv that would read its output and write its input, `y[n,o,i] = b[o] + Σ w[c,o,k] · x[n,c,j]`
 * over the windows `j` and taps `k` with `i = j·stride + k·dilation − before`. So the geometry is that Conv's: "input" is y.
 */

import { int, ints } from "../graph/attributes.ts";
import type { Dim } from "../graph/graph.ts";
import { NetpareError } from "../tensor/error.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import { tensorOf, toNumbers } from "../tensor/tensor.ts";
import { sumPerChannel } from "./_channel-sum.ts";
import { type Grouping, linkConv, shrinkGroups } from "./_conv-channels.ts";
import { convWeightGradient } from "./_conv-gradient.ts";
import {
  checkWindows,
  extentOf,
  overhang,
  overlapPads,
  tapOffsets,
  type WindowAxis,
  windowAttributes,
} from "./_sliding-window.ts";
import { trimEnd } from "./_spatial.ts";
import { attr } from "./attribute-schema.ts";
import { defineOp } from "./define-op.ts";
import { fact, isStatic, mapDim, type ShapedFact } from "./fact.ts";

const attributes = {
  ...windowAttributes,
  group: attr.int(1),
  output_padding: attr.ints(),
  output_shape: attr.ints(),
};

interface Settings {
  readonly auto_pad: string;
  readonly strides: readonly number[] | undefined;
  readonly pads: readonly number[] | undefined;
  readonly dilations: readonly number[] | undefined;
  readonly output_padding: readonly number[] | undefined;
  readonly output_shape: readonly number[] | undefined;
}

export const convTranspose = defineOp("ConvTranspose", {
  inputs: ["X", "W", "B?"],
  attributes,
  weights: [1, 2],
  infer({ a, I: [x, w, b] }) {
    const [channels, outputs] = [w.shape[0], w.shape[1]];
    if (x.shape.length < 3 || x.shape.length !== w.shape.length)
      throw new NetpareError(
        "bad-shape",
        `input of shape [${x.shape}] and weight of shape [${w.shape}] do not go together`,
      );
    if (typeof x.shape[1] === "number" && typeof channels === "number" && x.shape[1] !== channels)
      throw new NetpareError("bad-shape", `input has ${x.shape[1]} channels, its weight wants ${channels}`);
    if (b && typeof outputs === "number" && typeof b.shape[0] === "number" && b.shape[0] !== outputs * a.group)
      throw new NetpareError("bad-shape", `bias has shape [${b.shape}], expected [${outputs * a.group}]`);
    checkWindows(a, x.shape.length - 2);
    const spatial = x.shape.slice(2).map((dim, axis): Dim => {
      const kernel = w.shape[axis + 2]!;
      if (typeof kernel === "string") return a.output_shape?.[axis] ?? "?";
      return (
        a.output_shape?.[axis] ?? mapDim(dim, (size) => windowAxis(a, kernel, size, axis, x.shape.length - 2).input)
      );
    });
    return [fact(x.dtype, [x.shape[0]!, mapDim(outputs!, (size) => size * a.group), ...spatial])];
  },
  macs: ({ I: [x, w] }) => (isStatic(x.shape) && isStatic(w.shape) ? sizeOf(x.shape) * sizeOf(w.shape.slice(1)) : 0),
  channels: {
    link({ a, I: [x, w, b] }, links) {
      linkConv(links, grouping(a.group, x, w), { inOfW: 0, outOfW: 1, hasBias: b !== undefined });
    },
    shrink: ({ node, a, I: [x, w] }, kept) => shrinkGroups(node, grouping(a.group, x, w), kept),
  },
  vjp(g, { a, I: [x, w, b], GO: [gy], wants }) {
    const axes = windows(a, g.shape(w).slice(2), g.shape(x).slice(2));
    // A Conv would find further windows where as much as a stride is left over.
    const read = axes.some((axis) => -overhang(axis) >= axis.stride) ? trimEnd(g, gy, axes) : gy;
    const gx = () =>
      g.op("Conv", [read, w], {
        group: int(a.group),
        strides: ints(axes.map((axis) => axis.stride)),
        dilations: ints(axes.map((axis) => axis.dilation)),
        pads: ints(overlapPads(axes)),
      });
    return [
      wants(0) ? gx() : null,
      wants(1) ? convWeightGradient(g, gy, x, g.shape(w), { axes, group: a.group }) : null,
      b !== undefined && wants(2) ? sumPerChannel(g, gy) : null,
    ];
  },
  evaluate({ a, I: [x, w, b] }) {
    const [batch, channels, ...spatial] = x.shape as [number, number, ...number[]];
    const [, perGroup, ...kernel] = w.shape as [number, number, ...number[]];
    const axes = windows(a, kernel, spatial);
    const taps = tapOffsets(axes);
    const inputs = sizeOf(spatial);
    const plane = sizeOf(axes.map((axis) => axis.input));
    const outputs = perGroup * a.group;
    const [xs, ws, bs] = [toNumbers(x), toNumbers(w), b && toNumbers(b)];
    const y = new Float64Array(batch * outputs * plane);
    if (bs) for (let i = 0; i < y.length; i++) y[i] = bs[Math.floor(i / plane) % outputs]!;
    for (let n = 0; n < batch; n++)
      for (let c = 0; c < channels; c++) {
        const firstOutput = Math.floor((c * a.group) / channels) * perGroup;
        const from = (n * channels + c) * inputs;
        for (let o = 0; o < perGroup; o++) {
          const to = (n * outputs + firstOutput + o) * plane;
          taps.forEach((offsets, k) => {
            const weight = ws[(c * perGroup + o) * taps.length + k]!;
            for (let j = 0; j < inputs; j++) if (offsets[j]! >= 0) y[to + offsets[j]!]! += weight * xs[from + j]!;
          });
        }
      }
    return [tensorOf(x.dtype, [batch, outputs, ...axes.map((axis) => axis.input)], y)];
  },
});

function grouping(group: number, x: ShapedFact, w: ShapedFact): Grouping {
  return { group, channels: Number(x.shape[1]), outputs: Number(w.shape[1]) * group };
}

function windows(a: Settings, kernel: Shape, spatial: Shape): WindowAxis[] {
  return spatial.map((size, axis) => windowAxis(a, kernel[axis]!, size, axis, spatial.length));
}

/** The axis of the adjoint Conv: it has `size` windows. */
function windowAxis(a: Settings, kernel: number, size: number, axis: number, rank: number): WindowAxis {
  const stride = a.strides?.[axis] ?? 1;
  const dilation = a.dilations?.[axis] ?? 1;
  const covered = (size - 1) * stride + extentOf({ kernel, dilation }) + (a.output_padding?.[axis] ?? 0);
  const same = a.auto_pad === "SAME_UPPER" || a.auto_pad === "SAME_LOWER";
  const wanted = a.output_shape?.[axis] ?? (same ? size * stride : undefined);
  const geometry = { output: size, kernel, stride, dilation };
  if (wanted !== undefined) {
    const total = Math.max(covered - wanted, 0);
    const before = a.auto_pad === "SAME_UPPER" ? Math.floor(total / 2) : Math.ceil(total / 2);
    return { ...geometry, input: wanted, before, after: total - before };
  }
  const [before, after] = a.auto_pad === "VALID" ? [0, 0] : [a.pads?.[axis] ?? 0, a.pads?.[axis + rank] ?? 0];
  if (covered <= before + after)
    throw new NetpareError("bad-shape", `pads ${before} and ${after} leave nothing of spatial axis ${axis}`);
  return { ...geometry, input: covered - before - after, before, after };
}
