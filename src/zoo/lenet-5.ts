/**
 * LeNet-5 as Caffe has it: `conv 20@5x5, max 2, conv 50@5x5, max 2, dense 500, ReLU, dense classes`, no padding and no
 * non-linearity but the pools between the convolutions (after LeCun et al. 1998). 431,080 parameters on 28x28 grey images.
 */
import { z } from "zod";
import { Layers } from "./_layers.ts";
import { commonParams, defineArchitecture, sizeParam } from "./define-architecture.ts";

export const lenet5 = defineArchitecture({
  name: "lenet-5",
  summary: "two convolutions and two dense layers for 28x28 digits (Caffe's)",
  paper: "LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document recognition, 1998",
  params: z.object({
    ...commonParams,
    channels: commonParams.channels.default(1),
    size: sizeParam(16, 28),
  }),
  body({ g, params, random }, image) {
    const layers = new Layers(g, random);
    const conv1 = layers.conv("conv1", image, { out: 20, kernel: 5, pad: 0, bias: true });
    const conv2 = layers.conv("conv2", layers.maxPool("pool1", conv1, 2), { out: 50, kernel: 5, pad: 0, bias: true });
    const flat = layers.flatten("flatten", layers.maxPool("pool2", conv2, 2));
    const fc1 = layers.relu("fc1/relu", layers.dense("fc1", flat, 500));
    return layers.dense("logits", fc1, params.classes, "nothing");
  },
});
