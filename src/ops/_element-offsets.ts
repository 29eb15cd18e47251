/** What GatherElements and ScatterElements share: for each element of `indices`, the place in `data` it points at. */
import { NetpareError } from "../tensor/error.ts";
import { type Shape, sizeOf, stridesOf } from "../tensor/shape.ts";
import { type Tensor, toIntegers } from "../tensor/tensor.ts";

/**
 * Offsets into a tensor of `shape`: the element's own position with its index along `axis` replaced by `indices`.
 * @throws NetpareError `bad-data` where an index is outside the axis.
 */
export function elementOffsets(shape: Shape, indices: Tensor, axis: number): Int32Array {
  const dim = shape[axis]!;
  const strides = stridesOf(shape);
  const inner = stridesOf(indices.shape);
  const offsets = new Int32Array(sizeOf(indices.shape));
  toIntegers(indices).forEach((index, element) => {
    if (index < -dim || index >= dim) throw new NetpareError("bad-data", `index ${index} is outside an axis of ${dim}`);
    let offset = (index < 0 ? index + dim : index) * strides[axis]!;
    for (let at = 0; at < shape.length; at++)
      if (at !== axis) offset += (Math.floor(element / inner[at]!) % indices.shape[at]!) * strides[at]!;
    offsets[element] = offset;
  });
  return offsets;
}
