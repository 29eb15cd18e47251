/**
 * SqueezeNet (Iandola et al. 2016, arXiv:1602.07360): a fire module squeezes to s channels by a 1x1 convolution, then expands to 4s of
 * 1x1 and 4s of 3x3 side by side, `[relu(conv1x1 q), relu(conv3x3 q)]` with `q = relu(conv1x1 x)`. Eight of them, dropout 0.5, a 1x1
 * convolution to the classes and the global average; no dense layer. 1.0 begins with 96@7x7/2; 1.1 (the authors' release) with
 * 64@3x3/2 and pools earlier: 2.4 times fewer MACs. 1,248,424 and 1,235,496 parameters at 1000 classes, 0.82 G and 0.35 G MACs at
 * 224x224.
 *
 * The stem does not pad, as published. The ReLU after the classes' convolution is left out: it would cut scores below zero.
 * Images below 112 pixels would be reduced to nothing: for them the stem has stride 1 and pads. Eighteen layers without batch norm
 * are slow to start learning; `batchnorm` adds it.
 */
import { z } from "zod";
import { Layers } from "./_layers.ts";
import {
  batchnormParam,
  commonParams,
  defineArchitecture,
  dropoutParam,
  sizeParam,
  widthParam,
} from "./define-architecture.ts";

const smallestPublished = 112;

const versions = {
  "1.0": { stem: { out: 96, kernel: 7 }, poolAfter: [4, 8] },
  "1.1": { stem: { out: 64, kernel: 3 }, poolAfter: [3, 5] },
};

function defineSqueezenet(version: keyof typeof versions) {
  const { stem, poolAfter } = versions[version];
  return defineArchitecture({
    name: `squeezenet-${version}`,
    summary: `SqueezeNet ${version} with a width multiplier, for any image size`,
    paper: "Iandola, Han, Moskewicz, Ashraf, Dally, Keutzer: SqueezeNet, 2016, arXiv:1602.07360",
    params: z.object({
      ...commonParams,
      size: sizeParam(24, 224),
      width: widthParam,
      dropout: dropoutParam(0.5),
      batchnorm: batchnormParam,
    }),
    body({ g, params, random }, image) {
      const layers = new Layers(g, random);
      const wide = (count: number) => Math.max(1, Math.round(count * params.width));
      const conv = (name: string, x: string, out: number, kernel: number, geometry = {}) => {
        const shape = { out: wide(out), kernel, ...geometry };
        if (params.batchnorm === 1) return layers.convBnRelu(name, x, shape);
        return layers.relu(`${name}/relu`, layers.conv(name, x, { ...shape, bias: true }));
      };
      const geometry = params.size < smallestPublished ? {} : { stride: 2, pad: 0 };
      let x = layers.maxPool("pool1", conv("conv1", image, stem.out, stem.kernel, geometry), 3, 2, true);
      for (let module = 2; module <= 9; module++) {
        const squeezed = 16 * Math.floor(module / 2);
        const name = `fire${module}`;
        const narrow = conv(`${name}/squeeze`, x, squeezed, 1);
        const halves = [1, 3].map((k) => conv(`${name}/expand${k}x${k}`, narrow, 4 * squeezed, k));
        x = layers.concat(`${name}/concat`, halves);
        if (poolAfter.includes(module)) x = layers.maxPool(`pool${module}`, x, 3, 2, true);
      }
      const kept = layers.dropout("dropout", x, params.dropout);
      const scores = layers.conv("conv10", kept, { out: params.classes, kernel: 1, bias: true, draw: "xavier" });
      return layers.flatten("logits", g.op("GlobalAveragePool", [scores], {}, { name: "pool10" }));
    },
  });
}

export const squeezenet10 = defineSqueezenet("1.0");
export const squeezenet11 = defineSqueezenet("1.1");
