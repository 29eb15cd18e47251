/** Tile: the input repeated `repeats[k]` times along axis k. Gradient: the sum over the repetitions. */
import { NetpareError } from "../tensor/error.ts";
import { indicesTo, takeAxes } from "../tensor/take.ts";
import { toIntegers } from "../tensor/tensor.ts";
import { inputAxis, outputAxis } from "./channels.ts";
import { defineOp } from "./define-op.ts";
import { fact, knownIntegers, mapDim } from "./fact.ts";

export const tile = defineOp("Tile", {
  inputs: ["input", "repeats"],
  attributes: {},
  infer({ I: [x, repeats] }) {
    const times = knownIntegers(repeats);
    if (times !== undefined && times.length !== x.shape.length)
      throw new NetpareError("bad-shape", `repeats has ${times.length} numbers, expected ${x.shape.length}`);
    const shape = x.shape.map((dim, axis) => {
      if (times === undefined) return "?";
      return times[axis] === 1 ? dim : mapDim(dim, (size) => size * times[axis]!);
    });
    return [fact(x.dtype, shape)];
  },
  channels: {
    link({ I: [x] }, links) {
      x.shape.forEach((dim, axis) => {
        if (typeof dim === "number") links.tie(outputAxis(0, axis), inputAxis(0, axis), (i) => i % dim);
      });
    },
  },
  vjp(g, { I: [x, repeats], GO: [gy] }) {
    const times = knownIntegers(g.fact(repeats));
    if (times === undefined) throw new NetpareError("unsupported", "the gradient of a Tile needs constant repeats");
    const shape = g.shape(x);
    const blocks = g.reshape(
      gy,
      shape.flatMap((dim, axis) => [times[axis]!, dim]),
    );
    const repeated = times.flatMap((count, axis) => (count === 1 ? [] : [2 * axis]));
    return [g.reshape(repeated.length > 0 ? g.reduceSum(blocks, repeated, false) : blocks, shape), null];
  },
  evaluate({ I: [x, repeats] }) {
    const times = toIntegers(repeats);
    return [
      takeAxes(
        x,
        x.shape.map((dim, axis) => indicesTo(dim * times[axis]!).map((i) => i % dim)),
      ),
    ];
  },
});
