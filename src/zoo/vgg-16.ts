/**
 * VGG-16 for 32x32 images: the 13 convolutions of configuration D (Simonyan, Zisserman 2014, arXiv:1409.1556), each followed by batch
 * norm and ReLU, 2x2 pools between, then one hidden dense layer of 512 units with batch norm (Liu, Deng 2015, "Very deep
 * convolutional neural network based image classification using small training sample size"; the network Li et al. 2017,
 * arXiv:1608.08710, prune: 15 M parameters, 313 M MACs). Five pools end at 1x1; larger images keep what is left of them, and the
 * hidden layer grows with it. Every channel count is multiplied by `width` and rounded. Convolutions have no bias, batch norm has.
 */
import { z } from "zod";
import { Layers } from "./_layers.ts";
import { commonParams, defineArchitecture, dropoutParam, sizeParam, widthParam } from "./define-architecture.ts";

const stages = [
  { out: 64, convolutions: 2 },
  { out: 128, convolutions: 2 },
  { out: 256, convolutions: 3 },
  { out: 512, convolutions: 3 },
  { out: 512, convolutions: 3 },
];

export const vgg16 = defineArchitecture({
  name: "vgg-16",
  summary: "VGG-16 with batch norm for 32x32 images, with a width multiplier",
  paper:
    "Simonyan, Zisserman: Very deep convolutional networks for large-scale image recognition, 2014, arXiv:1409.1556",
  params: z.object({
    ...commonParams,
    size: sizeParam(32, 32),
    width: widthParam,
    dropout: dropoutParam(0.5),
  }),
  body({ g, params, random }, image) {
    const layers = new Layers(g, random);
    const wide = (count: number) => Math.max(1, Math.round(count * params.width));
    let x = image;
    for (const [stage, { out, convolutions }] of stages.entries()) {
      for (let i = 1; i <= convolutions; i++)
        x = layers.convBnRelu(`conv${stage + 1}_${i}`, x, { out: wide(out), kernel: 3 });
      x = layers.maxPool(`pool${stage + 1}`, x, 2);
    }
    const flat = layers.dropout("dropout1", layers.flatten("flatten", x), params.dropout);
    const hidden = layers.bnRelu("fc1", layers.dense("fc1", flat, wide(512)));
    return layers.dense("logits", layers.dropout("dropout2", hidden, params.dropout), params.classes, "nothing");
  },
});
