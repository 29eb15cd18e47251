/**
 * Dropout as it infers: `output = data`, and a mask that is all true. Training with dropout belongs into the training graph,
 * where the mask is an input; a node that draws its own (`training_mode`) cannot be reproduced from its file.
 */
import { NetpareError } from "../tensor/error.ts";
import { type Tensor, tensorOf, toNumbers } from "../tensor/tensor.ts";
import { inputAxis, outputAxis } from "./channels.ts";
import { defineOp } from "./define-op.ts";
import { fact } from "./fact.ts";

const draws = (ratio: Tensor | undefined, trainingMode: Tensor | undefined) =>
  trainingMode !== undefined && toNumbers(trainingMode)[0] === 1 && (ratio === undefined || toNumbers(ratio)[0] !== 0);

const refuse = () =>
  new NetpareError("unsupported", "draws a random mask (training_mode is set); export the model for inference");

export const dropout = defineOp("Dropout", {
  inputs: ["data", "ratio?", "training_mode?"],
  attributes: {},
  infer: ({ I: [x] }) => [x, fact("bool", x.shape)],
  channels: {
    link({ O }, links) {
      O.forEach((output, index) => {
        output.shape.forEach((_, axis) => {
          links.tie(inputAxis(0, axis), outputAxis(index, axis));
        });
      });
    },
  },
  vjp(g, { I: [, ratio, trainingMode], GO: [gy] }) {
    const constant = (name: string | undefined) => (name === undefined ? undefined : g.fact(name).constant);
    if (draws(constant(ratio), constant(trainingMode))) throw refuse();
    return [gy];
  },
  evaluate({ I: [x, ratio, trainingMode] }) {
    if (draws(ratio, trainingMode)) throw refuse();
    return [x, tensorOf("bool", x.shape, new Uint8Array(x.data.length).fill(1))];
  },
});
