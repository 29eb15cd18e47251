/**
 * SimpleNet (HasanPour et al. 2016, arXiv:1608.06037; widths from the authors' Caffe files): ten 3x3 convolutions with batch norm and
 * ReLU, two 1x1 and one more 3x3 with ReLU alone, a 2x2 pool after the 4th, 7th, 9th and 12th and one over all that is left, and
 * a dense layer; nothing else. 5.48 M weights; the slim version 310 K. The paper counts weights only; biases and batch norm add
 * 0.1 % and 0.5 %.
 *
 * We leave out the bias where batch norm follows, pool after batch norm in the slim version as in the full one, and drop nothing
 * unless asked to. Every channel count is multiplied by `width` and rounded.
 */
import { z } from "zod";
import { Layers } from "./_layers.ts";
import { commonParams, defineArchitecture, dropoutParam, sizeParam, widthParam } from "./define-architecture.ts";

const versions = {
  simplenet: [64, 128, 128, 128, 128, 128, 256, 256, 256, 512, 2048, 256, 256],
  "simplenet-310k": [64, 32, 32, 32, 32, 32, 64, 64, 64, 128, 256, 64, 64],
};
const pooled = [4, 7, 9, 12];
const pointwise = [11, 12];
const normalized = 10;

function defineSimplenet(name: keyof typeof versions, size: string) {
  return defineArchitecture({
    name,
    summary: `thirteen plain convolutions for 32x32 images, ${size} weights`,
    paper: "HasanPour, Rouhani, Fayyaz, Sabokrou: Lets keep it simple, 2016, arXiv:1608.06037",
    params: z.object({
      ...commonParams,
      size: sizeParam(16, 32),
      width: widthParam,
      dropout: dropoutParam(0),
    }),
    body({ g, params, random }, image) {
      const layers = new Layers(g, random);
      let x = image;
      for (const [i, count] of versions[name].entries()) {
        const layer = i + 1;
        const label = `conv${layer}`;
        const shape = { out: Math.max(1, Math.round(count * params.width)), kernel: pointwise.includes(layer) ? 1 : 3 };
        x =
          layer <= normalized
            ? layers.convBnRelu(label, x, shape)
            : layers.relu(`${label}/relu`, layers.conv(label, x, { ...shape, bias: true }));
        if (pooled.includes(layer)) x = layers.maxPool(`pool${layer}`, x, 2);
        x = layers.dropout(`${label}/dropout`, x, params.dropout);
      }
      return layers.dense("logits", layers.globalMaxPool("pool13", x), params.classes, "nothing");
    },
  });
}

export const simplenet = defineSimplenet("simplenet", "5.48 M");
export const simplenet310k = defineSimplenet("simplenet-310k", "310 K");
