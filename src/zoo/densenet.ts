/**
 * DenseNet for 32x32 images (Huang, Liu, van der Maaten, Weinberger 2016, arXiv:1608.06993): every layer reads all before it in its
 * block, `x_l = H_l([x_0, …, x_(l-1)])` with `H = conv3x3(relu(bn x))` of k channels. Three blocks; between them batch norm, ReLU, a
 * 1x1 convolution and 2x2 average pooling. With bottlenecks (B) a 1x1 convolution of 4k channels stands before the 3x3 one and the stem
 * has 2k channels, 16 else; with compression θ (C) a transition keeps `⌊θm⌋` of m channels.
 * L layers are `3n + 4`, with bottlenecks `6n + 4`. DenseNet-40-12: 1.0 M parameters; DenseNet-BC-100-12: 0.8 M.
 */
import { z } from "zod";
import { Layers } from "./_layers.ts";
import { commonParams, defineArchitecture, dropoutParam } from "./define-architecture.ts";

export const densenet = defineArchitecture({
  name: "densenet",
  summary: "densely connected network of any depth and growth, DenseNet-BC-100-12 by default",
  paper: "Huang, Liu, van der Maaten, Weinberger: Densely connected convolutional networks, 2016, arXiv:1608.06993",
  params: z
    .object({
      ...commonParams,
      depth: z.int().min(7).max(250).default(100).describe("layers, 6n + 4 with bottlenecks and 3n + 4 without"),
      growth: z.int().min(1).max(64).default(12).describe("channels that each layer adds"),
      compression: z.number().min(0.1).max(1).default(0.5).describe("share of channels that a transition keeps"),
      bottleneck: z
        .union([z.literal(0), z.literal(1)])
        .default(1)
        .describe("1 for 1x1 convolutions before the 3x3, 0 for none"),
      dropout: dropoutParam(0),
    })
    .refine(({ depth, bottleneck }) => depth % (bottleneck ? 6 : 3) === (bottleneck ? 4 : 1), {
      message: "expected 6n + 4 with bottlenecks, 3n + 4 without",
      path: ["depth"],
    }),
  body({ g, params, random }, image) {
    const layers = new Layers(g, random);
    const { depth, growth, bottleneck, compression, dropout } = params;
    let x = layers.conv("stem", image, { out: bottleneck ? 2 * growth : 16, kernel: 3 });
    for (const block of [1, 2, 3]) {
      for (let layer = 1; layer <= (depth - 4) / (bottleneck ? 6 : 3); layer++)
        x = denseLayer(layers, `block${block}/layer${layer}`, x, { growth, bottleneck: bottleneck === 1, dropout });
      if (block === 3) break;
      const name = `transition${block}`;
      const out = Math.max(1, Math.floor(compression * layers.dim(x, 1)));
      const mixed = layers.conv(`${name}/conv`, layers.bnRelu(name, x), { out, kernel: 1 });
      x = layers.averagePool(`${name}/pool`, layers.dropout(`${name}/dropout`, mixed, dropout), 2);
    }
    const last = layers.bnRelu("last", x);
    return layers.dense("logits", layers.globalAveragePool("pool", last), params.classes, "nothing");
  },
});

interface LayerShape {
  readonly growth: number;
  readonly bottleneck: boolean;
  readonly dropout: number;
}

/** `(N, C, H, W) -> (N, C + growth, H, W)`. */
function denseLayer(layers: Layers, name: string, x: string, shape: LayerShape): string {
  const { growth, bottleneck, dropout } = shape;
  let y = layers.bnRelu(name, x);
  if (bottleneck) {
    const narrow = layers.conv(`${name}/conv1`, y, { out: 4 * growth, kernel: 1 });
    y = layers.bnRelu(`${name}/conv1`, layers.dropout(`${name}/dropout1`, narrow, dropout));
  }
  const added = layers.conv(`${name}/conv2`, y, { out: growth, kernel: 3 });
  return layers.concat(`${name}/concat`, [x, layers.dropout(`${name}/dropout2`, added, dropout)]);
}
