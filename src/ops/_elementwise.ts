/** What elementwise operators share: inference, channel rule and reference by broadcasting. */
import type { DType } from "../tensor/dtype.ts";
import { broadcastShapes, type Shape, sizeOf, stridesOf } from "../tensor/shape.ts";
import { type Tensor, tensorOf, toNumbers } from "../tensor/tensor.ts";
import type { AttributeSchema } from "./attribute-schema.ts";
import { type ChannelLinks, inputAxis, outputAxis } from "./channels.ts";
import type { InferredCall, InputNames } from "./define-op.ts";
import { broadcastDims, type Fact, fact, type ShapedFact } from "./fact.ts";

/** The type of the broadcast of all inputs, in `dtype` or the first input's. */
export function inferBroadcast(inputs: readonly (ShapedFact | undefined)[], dtype?: DType): readonly Fact[] {
  const given = inputs.filter((input) => input !== undefined);
  const shape = given.reduce<ShapedFact["shape"]>((all, input) => broadcastDims(all, input.shape), []);
  return [fact(dtype ?? given[0]?.dtype ?? "float32", shape)];
}

/** Ties each axis of each input to the output's, broadcast axes of size 1 aside. */
export function linkBroadcast<S extends AttributeSchema, N extends InputNames>(
  call: InferredCall<S, N>,
  links: ChannelLinks,
): void {
  const rank = call.O[0].shape.length;
  (call.I as readonly (ShapedFact | undefined)[]).forEach((input, index) => {
    input?.shape.forEach((dim, axis) => {
      const outer = axis + rank - input.shape.length;
      if (dim === call.O[0].shape[outer]) links.tie(inputAxis(index, axis), outputAxis(0, outer));
    });
  });
}

/** For each element of `to`, the offset in a tensor of shape `from` that broadcasts to it. */
export function broadcastOffsets(from: Shape, to: Shape): Int32Array {
  const strides = stridesOf(from);
  const offsets = new Int32Array(sizeOf(to));
  const lead = to.length - from.length;
  let block = 1;
  for (let axis = to.length - 1; axis >= 0; axis--) {
    const dim = to[axis]!;
    const stride = axis >= lead && from[axis - lead] !== 1 ? strides[axis - lead]! : 0;
    // offsets[0..block) are done for the inner axes; repeat them for each index of this one.
    for (let i = 1; i < dim; i++) for (let j = 0; j < block; j++) offsets[i * block + j] = offsets[j]! + i * stride;
    block *= dim;
  }
  return offsets;
}

/** `f` over the broadcast of `inputs`, in doubles, rounded to `dtype`. */
export function mapBroadcast(
  inputs: readonly Tensor[],
  f: (...values: number[]) => number,
  dtype: DType = inputs[0]!.dtype,
): Tensor {
  const shape = inputs.reduce<Shape>((all, input) => broadcastShapes(all, input.shape), []);
  const sources = inputs.map((input) => ({ values: toNumbers(input), offsets: broadcastOffsets(input.shape, shape) }));
  const out = new Float64Array(sizeOf(shape));
  for (let i = 0; i < out.length; i++) out[i] = f(...sources.map(({ values, offsets }) => values[offsets[i]!]!));
  return tensorOf(dtype, shape, out);
}

/** `f` on every element, in doubles, rounded to `dtype`. */
export function mapTensor(x: Tensor, f: (value: number) => number, dtype: DType = x.dtype): Tensor {
  return tensorOf(dtype, x.shape, toNumbers(x).map(f));
}
