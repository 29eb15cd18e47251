/**
 * Tiny Darknet (Redmon, pjreddie.com/darknet/tiny-darknet and its tiny.cfg): 3x3 convolutions that widen to 8 times as many channels as
 * the 1x1 convolutions between them leave, batch norm and leaky ReLU of slope 0.1 after each, four 2x2 pools, a 1x1 convolution
 * to the classes and the global average. No dense layer. 1.04 M parameters at 1000 classes, 0.49 G MACs at 224x224; the author
 * gives 4.0 MB of weights and 0.98 G operations, two to a MAC.
 * Every channel count is multiplied by `width` and rounded. Nothing is adapted to small images: 48x48 ends at 3x3.
 */
import { z } from "zod";
import { Layers } from "./_layers.ts";
import { commonParams, defineArchitecture, sizeParam, widthParam } from "./define-architecture.ts";

const stages: readonly (readonly (readonly [out: number, kernel: number])[])[] = [
  [[16, 3]],
  [[32, 3]],
  [16, 128, 16, 128].map((out, i) => [out, i % 2 === 0 ? 1 : 3] as const),
  [32, 256, 32, 256].map((out, i) => [out, i % 2 === 0 ? 1 : 3] as const),
  [64, 512, 64, 512, 128].map((out, i) => [out, i % 2 === 0 ? 1 : 3] as const),
];

export const tinyDarknet = defineArchitecture({
  name: "tiny-darknet",
  summary: "Tiny Darknet with a width multiplier, for any image size",
  paper: "Redmon: Tiny Darknet, 2016, pjreddie.com/darknet/tiny-darknet",
  params: z.object({
    ...commonParams,
    size: sizeParam(16, 224),
    width: widthParam,
  }),
  body({ g, params, random }, image) {
    const layers = new Layers(g, random);
    let x = image;
    for (const [stage, convolutions] of stages.entries()) {
      if (stage > 0) x = layers.maxPool(`pool${stage}`, x, 2);
      for (const [i, [count, kernel]] of convolutions.entries()) {
        const name = `conv${stage + 1}_${i + 1}`;
        const out = Math.max(1, Math.round(count * params.width));
        const normalized = layers.batchNorm(`${name}/bn`, layers.conv(name, x, { out, kernel }));
        x = layers.leakyRelu(`${name}/leaky`, normalized, 0.1);
      }
    }
    const scores = layers.conv("classes", x, { out: params.classes, kernel: 1, bias: true, draw: "xavier" });
    return layers.flatten("logits", g.op("GlobalAveragePool", [scores], {}, { name: "average" }));
  },
});
