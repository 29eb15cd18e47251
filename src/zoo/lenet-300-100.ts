/**
 * LeNet-300-100: `image -> 300 -> 100 -> classes`, all dense, ReLU between (LeCun et al. 1998; with ReLU as in Han et al. 2015,
 * arXiv:1506.02626). 266,610 parameters on 28x28 grey images.
 */
import { z } from "zod";
import { Layers } from "./_layers.ts";
import { commonParams, defineArchitecture, sizeParam } from "./define-architecture.ts";

export const lenet300100 = defineArchitecture({
  name: "lenet-300-100",
  summary: "three dense layers for 28x28 digits",
  paper: "LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document recognition, 1998",
  params: z.object({
    ...commonParams,
    channels: commonParams.channels.default(1),
    size: sizeParam(8, 28),
  }),
  body({ g, params, random }, image) {
    const layers = new Layers(g, random);
    const flat = layers.flatten("flatten", image);
    const first = layers.relu("fc1/relu", layers.dense("fc1", flat, 300));
    const second = layers.relu("fc2/relu", layers.dense("fc2", first, 100));
    return layers.dense("logits", second, params.classes, "nothing");
  },
});
