/**
 * FitNets, the thin deep students of Romero et al. (2014, arXiv:1412.6550) for 32x32 images: 3x3 convolutions in three blocks, 2x2
 * pools between and one over all that is left behind them, a hidden dense layer of 500 units; every unit a maxout of two linear
 * pieces, `y = max(W₁x + b₁, W₂x + b₂)` (Goodfellow et al. 2013): Split and Max in ONNX. One piece stands for ReLU, as later
 * work has it.
 *
 * The paper counts weights only: 250 K, 862 K, 1.6 M, 2.5 M, and 30 M, 108 M, 392 M, 382 M multiplications. Two pieces in the dense
 * layer give these figures (the released training file has five, which would be 340 K for FitNet-1); only FitNet-3 comes out
 * lower from its published widths, 1.50 M and 324 M. LeCun's initialization keeps the variance through maxout.
 * The paper starts the deep ones by hints of a teacher's layers; `batchnorm` is for training them alone.
 */
import { z } from "zod";
import { Layers } from "./_layers.ts";
import { batchnormParam, commonParams, defineArchitecture, dropoutParam, widthParam } from "./define-architecture.ts";

const blocks = {
  1: [
    [16, 16, 16],
    [32, 32, 32],
    [48, 48, 64],
  ],
  2: [
    [16, 32, 32],
    [48, 64, 80],
    [96, 96, 128],
  ],
  3: [
    [32, 48, 64, 64],
    [80, 80, 80, 80],
    [128, 128, 128],
  ],
  4: [
    [32, 32, 32, 48, 48],
    [80, 80, 80, 80, 80, 80],
    [128, 128, 128, 128, 128, 128],
  ],
};

function defineFitnet(number: keyof typeof blocks) {
  const depth = blocks[number].flat().length + 2;
  return defineArchitecture({
    name: `fitnet-${number}`,
    summary: `thin deep student of ${depth} layers with maxout, for 32x32 images`,
    paper: "Romero, Ballas, Kahou, Chassang, Gatta, Bengio: FitNets: hints for thin deep nets, 2014, arXiv:1412.6550",
    params: z.object({
      ...commonParams,
      width: widthParam,
      pieces: z
        .union([z.literal(1), z.literal(2)])
        .default(2)
        .describe("linear pieces of a unit: 2 for maxout, 1 for ReLU"),
      dropout: dropoutParam(0),
      batchnorm: batchnormParam,
    }),
    body({ g, params, random }, image) {
      const layers = new Layers(g, random);
      const { pieces } = params;
      const normalized = params.batchnorm === 1;
      const wide = (count: number) => pieces * Math.max(1, Math.round(count * params.width));
      const active = (name: string, x: string) =>
        pieces === 1 ? layers.relu(`${name}/relu`, x) : layers.maxout(`${name}/maxout`, x, pieces);
      const draw = pieces === 1 ? "he" : "lecun";
      let x = image;
      for (const [block, counts] of blocks[number].entries()) {
        if (block > 0) x = layers.maxPool(`pool${block}`, x, 2);
        for (const [i, count] of counts.entries()) {
          const name = `conv${block + 1}_${i + 1}`;
          const y = layers.conv(name, x, { out: wide(count), kernel: 3, bias: !normalized, draw });
          x = active(name, normalized ? layers.batchNorm(`${name}/bn`, y) : y);
        }
      }
      const pooled = layers.globalMaxPool("pool3", x);
      const hidden = active("fc1", layers.dense("fc1", pooled, wide(500), pieces === 1 ? "relu" : "maxout"));
      return layers.dense("logits", layers.dropout("dropout", hidden, params.dropout), params.classes, "nothing");
    },
  });
}

export const fitnet1 = defineFitnet(1);
export const fitnet2 = defineFitnet(2);
export const fitnet3 = defineFitnet(3);
export const fitnet4 = defineFitnet(4);
