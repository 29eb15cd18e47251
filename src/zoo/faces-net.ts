/**
 * A small residual network for the built-in faces, 48x48 grey, 8 classes: a 5x5 stem of stride 2 with `w` channels (w = 32), then
 * three stages with `w, 2w, 4w` channels at 24, 12 and 6 pixels, global average, one dense layer. A stage is a convolution
 * that sets stride and width, and one that adds to it: `y = relu(bn(conv x)); relu(bn(conv y) + y)`.
 * About 0.3 M parameters and 27 M MACs. The stem has the stride because maps of 48x48 cost most of the time and teach little:
 * with a 3x3 stem and a pool, equal time of training gives less accuracy, and 8-bit arithmetic less speed.
 */
import { z } from "zod";
import { Layers } from "./_layers.ts";
import { commonParams, defineArchitecture, sizeParam } from "./define-architecture.ts";

export const facesNet = defineArchitecture({
  name: "faces-net",
  summary: "small residual network for the built-in faces, 48x48 grey",
  paper: "after He, Zhang, Ren, Sun: Deep residual learning for image recognition, 2015, arXiv:1512.03385",
  params: z.object({
    ...commonParams,
    classes: commonParams.classes.default(8),
    channels: commonParams.channels.default(1),
    size: sizeParam(8, 48),
    width: z.int().min(1).max(512).default(32).describe("channels of the first stage"),
  }),
  body({ g, params, random }, image) {
    const layers = new Layers(g, random);
    let x = layers.convBnRelu("stem", image, { out: params.width, kernel: 5, stride: 2 });
    for (const [stage, out] of [params.width, 2 * params.width, 4 * params.width].entries()) {
      const name = `stage${stage + 1}`;
      const y = layers.convBnRelu(`${name}/conv1`, x, { out, kernel: 3, stride: stage === 0 ? 1 : 2, pad: 1 });
      const change = layers.batchNorm(`${name}/conv2/bn`, layers.conv(`${name}/conv2`, y, { out, kernel: 3 }));
      x = layers.relu(`${name}/relu`, g.op("Add", [change, y], {}, { name: `${name}/add` }));
    }
    return layers.dense("logits", layers.globalAveragePool("pool", x), params.classes, "nothing");
  },
});
