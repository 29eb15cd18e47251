/** What pools share: channel rules, and inference of those that cover the whole plane. */
import { NetpareError } from "../tensor/error.ts";
import type { AttributeSchema } from "./attribute-schema.ts";
import { type ChannelLinks, inputAxis, outputAxis } from "./channels.ts";
import type { InferredCall, InputNames } from "./define-op.ts";
import { type Fact, fact, type ShapedFact } from "./fact.ts";

/** Samples and channels pass through; pixels mix. */
export function linkPool<S extends AttributeSchema, N extends InputNames>(
  call: InferredCall<S, N>,
  links: ChannelLinks,
): void {
  call.O.forEach((_, output) => {
    links.tie(inputAxis(0, 0), outputAxis(output, 0));
    links.tie(inputAxis(0, 1), outputAxis(output, 1));
  });
}

/** `(N, C, …) → (N, C, 1, …)`. */
export function inferGlobalPool(x: ShapedFact): readonly Fact[] {
  return [
    fact(
      x.dtype,
      x.shape.map((dim, axis) => (axis < 2 ? dim : 1)),
    ),
  ];
}

/** @throws NetpareError `bad-model` where the window's size is missing. */
export function requireKernel(kernel: readonly number[] | undefined): readonly number[] {
  if (kernel === undefined) throw new NetpareError("bad-model", "its attribute kernel_shape is missing");
  return kernel;
}
