/**
 * What QuantizeLinear and DequantizeLinear share: how a scale or zero point spreads over the tensor. It is one number, or a
 * vector along `axis`, or (with `block_size`, opset 21) of the tensor's shape with `axis` cut into blocks.
 */
import { normalizeAxis, type Shape, sizeOf, stridesOf } from "../tensor/shape.ts";
import { type Tensor, toNumbers } from "../tensor/tensor.ts";
import { broadcastNumbers } from "./_elementwise.ts";
import { attr } from "./attribute-schema.ts";
import { type ChannelLinks, inputAxis, outputAxis } from "./channels.ts";
import type { ShapedFact } from "./fact.ts";

/** Attributes of both operators; those of opset 21 are honoured where present. */
export const quantizeAttributes = { axis: attr.int(1), block_size: attr.int(0) };

interface Spreading {
  readonly axis: number;
  readonly block_size: number;
}

const isVector = (shape: readonly unknown[]) => shape.length === 1 && shape[0] !== 1;

/** The elements of a scale or zero point, one for each element of a tensor of `shape`. */
export function spread({ axis, block_size: blockSize }: Spreading, values: Tensor, shape: Shape): Float64Array {
  if (values.data.length === 1) return new Float64Array(sizeOf(shape)).fill(toNumbers(values)[0]!);
  const along = normalizeAxis(axis, shape.length);
  if (values.shape.length === 1)
    return broadcastNumbers({ ...values, shape: shape.map((_, i) => (i === along ? values.shape[0]! : 1)) }, shape);
  const numbers = toNumbers(values);
  const strides = stridesOf(shape);
  const blockStrides = stridesOf(values.shape);
  const size = blockSize || Math.ceil(shape[along]! / values.shape[along]!);
  return Float64Array.from({ length: sizeOf(shape) }, (_, i) => {
    const at = shape.reduce((offset, dim, k) => {
      const index = Math.floor(i / strides[k]!) % dim;
      return offset + (k === along ? Math.floor(index / size) : index) * blockStrides[k]!;
    }, 0);
    return numbers[at]!;
  });
}

/** Ties the axes of `x` to those of `y`, and a scale or zero point along its axis; blocks pin theirs. */
export function linkQuantized(
  { a, I }: { readonly a: Spreading; readonly I: readonly (ShapedFact | undefined)[] },
  links: ChannelLinks,
): void {
  const [x, ...parameters] = I;
  const rank = x?.shape.length ?? 0;
  const along = rank === 0 ? 0 : normalizeAxis(a.axis, rank);
  const blocked = parameters.some((parameter) => (parameter?.shape.length ?? 0) > 1);
  for (let axis = 0; axis < rank; axis++)
    if (!(blocked && axis === along)) links.tie(inputAxis(0, axis), outputAxis(0, axis));
  parameters.forEach((parameter, i) => {
    if (parameter && isVector(parameter.shape)) links.tie(inputAxis(i + 1, 0), outputAxis(0, along));
    else if (blocked)
      parameter?.shape.forEach((_, axis) => {
        if (axis !== along) links.tie(inputAxis(i + 1, axis), outputAxis(0, axis));
      });
  });
}
