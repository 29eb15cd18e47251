/** Concat: inputs one behind another along an axis. Gradient: the slices. */
import type { Dim } from "../graph/graph.ts";
import { NetpareError } from "../tensor/error.ts";
import { normalizeAxis, sizeOf } from "../tensor/shape.ts";
import { int64s, type Tensor, tensor } from "../tensor/tensor.ts";
import { attr } from "./attribute-schema.ts";
import { inputAxis, outputAxis } from "./channels.ts";
import { defineOp } from "./define-op.ts";
import { type Fact, fact, knownDims, type ShapedFact } from "./fact.ts";

export const concat = defineOp("Concat", {
  inputs: ["inputs..."],
  attributes: { axis: attr.int() },
  infer: ({ a, I }) => [{ ...fact(I[0]!.dtype, joinedDims(I, axisOf(a.axis, I))), ...joinedContent(I) }],
  channels: {
    link({ a, I, O: [y] }, links) {
      const joined = axisOf(a.axis, I);
      let offset: Dim = 0;
      I.forEach((x, k) => {
        y.shape.forEach((_, axis) => {
          if (axis !== joined) links.tie(inputAxis(k, axis), outputAxis(0, axis));
        });
        const before = offset;
        const dim = x.shape[joined]!;
        if (typeof before === "string" || typeof dim === "string") {
          offset = "?";
          return;
        }
        links.tie(inputAxis(k, joined), outputAxis(0, joined), (i) => before + i);
        offset = before + dim;
      });
    },
  },
  vjp(g, { a, I, GO: [gy], wants }) {
    const axis = normalizeAxis(a.axis ?? 0, g.shape(gy).length);
    let end = 0;
    return I.map((x, k) => {
      const start = end;
      end += g.shape(x)[axis]!;
      if (!wants(k)) return null;
      if (I.length === 1) return gy;
      return g.op("Slice", [gy, ...[start, end, axis].map((n) => g.initializer("bound", int64s([n])))]);
    });
  },
  evaluate({ a, I }) {
    const axis = normalizeAxis(a.axis ?? 0, I[0]!.shape.length);
    return [concatTensors(I, axis)];
  },
});

/** Tensors one behind another along `axis`. */
export function concatTensors(parts: readonly Tensor[], axis: number): Tensor {
  const first = parts[0]!;
  const shape = first.shape.map((dim, at) => (at === axis ? parts.reduce((sum, p) => sum + p.shape[axis]!, 0) : dim));
  const y = tensor(first.dtype, shape);
  const row = sizeOf(shape.slice(axis));
  const lead = sizeOf(shape.slice(0, axis));
  let offset = 0;
  for (const part of parts) {
    const width = sizeOf(part.shape.slice(axis));
    for (let i = 0; i < lead; i++)
      (y.data as Float32Array).set((part.data as Float32Array).subarray(i * width, (i + 1) * width), i * row + offset);
    offset += width;
  }
  return y;
}

function axisOf(axis: number | undefined, inputs: readonly ShapedFact[]): number {
  if (axis === undefined) throw new NetpareError("bad-model", "its attribute axis is missing");
  return normalizeAxis(axis, inputs[0]!.shape.length);
}

function joinedDims(inputs: readonly ShapedFact[], joined: number): Dim[] {
  const first = inputs[0]!.shape;
  return first.map((_, axis) => {
    const dims = inputs.map(({ shape }) => {
      if (shape.length !== first.length)
        throw new NetpareError("bad-shape", `inputs [${first}] and [${shape}] have different ranks`);
      return shape[axis]!;
    });
    if (axis === joined) {
      if (dims.length === 1) return dims[0]!;
      return dims.reduce<Dim>((sum, dim) => (typeof sum === "number" && typeof dim === "number" ? sum + dim : "?"), 0);
    }
    const sizes = dims.filter((dim) => typeof dim === "number");
    if (new Set(sizes).size > 1)
      throw new NetpareError(
        "bad-shape",
        `inputs have sizes ${sizes.join(" and ")} on axis ${axis}, expected equal ones`,
      );
    return sizes[0] ?? (new Set(dims).size === 1 ? dims[0]! : "?");
  });
}

/** The content of joined shape vectors, as far as known. */
function joinedContent(inputs: readonly ShapedFact[]): Pick<Fact, "dims"> {
  if (inputs[0]!.shape.length !== 1 || inputs[0]!.dtype !== "int64") return {};
  const parts = inputs.map(knownDims);
  return parts.every((part) => part !== undefined) ? { dims: parts.flat() } : {};
}
