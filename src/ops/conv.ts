/** Conv: `y[n,o] = b[o] + Σ_{c,k} w[o,c,k] · x[n, c, i(·,k)]` over the channels `c` of the group of `o` (geometry: _sliding-window). */
import { NetpareError } from "../tensor/error.ts";
import { sizeOf } from "../tensor/shape.ts";
import { tensorOf, toNumbers } from "../tensor/tensor.ts";
import { sumPerChannel } from "./_channel-sum.ts";
import { type Grouping, linkConv, shrinkGroups } from "./_conv-channels.ts";
import { convDataGradient, convWeightGradient } from "./_conv-gradient.ts";
import { tapOffsets, windowAttributes, windowAxes, windowDims } from "./_sliding-window.ts";
import { attr } from "./attribute-schema.ts";
import { defineOp } from "./define-op.ts";
import { fact, isStatic, type ShapedFact } from "./fact.ts";

export const conv = defineOp("Conv", {
  inputs: ["X", "W", "B?"],
  attributes: { ...windowAttributes, group: attr.int(1) },
  weights: [1, 2],
  infer({ a, I: [x, w, b] }) {
    checkShapes(x, w, b, a.group);
    return [fact(x.dtype, [x.shape[0]!, w.shape[0]!, ...windowDims(a, w.shape.slice(2), x.shape.slice(2))])];
  },
  macs({ I: [, w], O: [y] }) {
    if (!isStatic(w.shape) || !isStatic(y.shape)) return 0;
    return sizeOf(y.shape) * sizeOf(w.shape.slice(1));
  },
  channels: {
    link({ a, I: [x, w, b] }, links) {
      linkConv(links, grouping(a.group, x, w), { inOfW: 1, outOfW: 0, hasBias: b !== undefined });
    },
    shrink: ({ node, a, I: [x, w] }, kept) => shrinkGroups(node, grouping(a.group, x, w), kept),
  },
  vjp(g, { a, I: [x, w, b], GO: [gy], wants }) {
    const axes = windowAxes(a, g.shape(w).slice(2), g.shape(x).slice(2));
    const geometry = { axes, group: a.group };
    return [
      wants(0) ? convDataGradient(g, gy, w, geometry) : null,
      wants(1) ? convWeightGradient(g, x, gy, g.shape(w), geometry) : null,
      b !== undefined && wants(2) ? sumPerChannel(g, gy) : null,
    ];
  },
  evaluate({ a, I: [x, w, b] }) {
    const [batch, channels, ...spatial] = x.shape as [number, number, ...number[]];
    const [outputs, perGroup, ...kernel] = w.shape as [number, number, ...number[]];
    const axes = windowAxes(a, kernel, spatial);
    const taps = tapOffsets(axes);
    const plane = sizeOf(spatial);
    const windows = sizeOf(axes.map((axis) => axis.output));
    const [xs, ws, bs] = [toNumbers(x), toNumbers(w), b && toNumbers(b)];
    const y = new Float64Array(batch * outputs * windows);
    for (let n = 0; n < batch; n++)
      for (let o = 0; o < outputs; o++) {
        const out = y.subarray((n * outputs + o) * windows, (n * outputs + o + 1) * windows).fill(bs?.[o] ?? 0);
        const firstChannel = Math.floor((o * a.group) / outputs) * perGroup;
        for (let c = 0; c < perGroup; c++) {
          const from = (n * channels + firstChannel + c) * plane;
          taps.forEach((offsets, k) => {
            const weight = ws[(o * perGroup + c) * taps.length + k]!;
            for (let i = 0; i < windows; i++) if (offsets[i]! >= 0) out[i]! += weight * xs[from + offsets[i]!]!;
          });
        }
      }
    return [tensorOf(x.dtype, [batch, outputs, ...axes.map((axis) => axis.output)], y)];
  },
});

function grouping(group: number, x: ShapedFact, w: ShapedFact): Grouping {
  return { group, channels: Number(x.shape[1]), outputs: Number(w.shape[0]) };
}

function checkShapes(x: ShapedFact, w: ShapedFact, b: ShapedFact | undefined, group: number): void {
  if (x.shape.length < 3 || x.shape.length !== w.shape.length)
    throw new NetpareError(
      "bad-shape",
      `input of shape [${x.shape}] and weight of shape [${w.shape}] do not go together`,
    );
  const [, channels] = x.shape;
  const [outputs, perGroup] = w.shape;
  if (typeof channels === "number" && typeof perGroup === "number" && channels !== perGroup * group)
    throw new NetpareError(
      "bad-shape",
      `input has ${channels} channels, its weight wants ${perGroup * group}; check the model's preprocessing`,
    );
  if (typeof outputs === "number" && outputs % group !== 0)
    throw new NetpareError("bad-shape", `${outputs} output channels do not divide into ${group} groups`);
  if (b && typeof outputs === "number" && b.shape[0] !== outputs)
    throw new NetpareError("bad-shape", `bias has shape [${b.shape}], expected [${outputs}]`);
}
