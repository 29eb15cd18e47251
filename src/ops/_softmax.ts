/** What Softmax and LogSoftmax share: one axis is normalized, the others pass through. */
import { normalizeAxis } from "../tensor/shape.ts";
import { type Tensor, tensorOf, toNumbers } from "../tensor/tensor.ts";
import { groupsOf } from "./_reduce.ts";
import { attr } from "./attribute-schema.ts";
import { inputAxis, outputAxis } from "./channels.ts";
import { defineOp } from "./define-op.ts";
import { fact } from "./fact.ts";
import type { TypedBuilder } from "./typed-builder.ts";

/** What a normalization says of itself. */
export interface SoftmaxSpec {
  /** The normalized value of `x`, the greatest of its group taken off, where `sum` is the group's `Σ eˣ`. */
  readonly f: (x: number, sum: number) => number;
  /** The cotangent of `x`. */
  readonly vjp: (g: TypedBuilder, y: string, gy: string, axis: number) => string;
}

/** Defines Softmax or LogSoftmax by their semantics since opset 13. */
export function defineSoftmax(op: string, { f, vjp }: SoftmaxSpec) {
  return defineOp(op, {
    inputs: ["input"],
    attributes: { axis: attr.int(-1) },
    infer({ a, I: [x] }) {
      normalizeAxis(a.axis, x.shape.length);
      return [fact(x.dtype, x.shape)];
    },
    channels: {
      link({ a, I: [x] }, links) {
        const normalized = normalizeAxis(a.axis, x.shape.length);
        x.shape.forEach((_, axis) => {
          if (axis !== normalized) links.tie(inputAxis(0, axis), outputAxis(0, axis));
        });
      },
    },
    vjp: (g, { a, O: [y], GO: [gy] }) => [vjp(g, y, gy, normalizeAxis(a.axis, g.shape(y).length))],
    evaluate: ({ a, I: [x] }) => [normalize(x, normalizeAxis(a.axis, x.shape.length), f)],
  });
}

function normalize(x: Tensor, axis: number, f: SoftmaxSpec["f"]): Tensor {
  const values = toNumbers(x);
  const out = new Float64Array(values.length);
  const { starts, steps } = groupsOf(x.shape, [axis]);
  for (const start of starts) {
    const greatest = steps.reduce((max, step) => Math.max(max, values[start + step]!), -Infinity);
    const sum = steps.reduce((total, step) => total + Math.exp(values[start + step]! - greatest), 0);
    for (const step of steps) out[start + step] = f(values[start + step]! - greatest, sum);
  }
  return tensorOf(x.dtype, x.shape, out);
}
