/**
 * Wide residual networks (Zagoruyko, Komodakis 2016, arXiv:1605.07146): WRN-d-k has depth `d = 6n + 4`, a 3x3 stem of 16 channels and
 * three stages of n blocks with `16k, 32k, 64k` channels. Pre-activation blocks (He et al. 2016, arXiv:1603.05027):
 * `y = conv(relu(bn(conv(relu(bn x))))) + s(x)`, where s is a 1x1 convolution of the activated input if the shape changes and the
 * input itself if not; batch norm and ReLU once more before the global average. Dropout stands between a block's convolutions.
 * WRN-16-4: 2.7 M parameters; WRN-28-10: 36.5 M parameters, 5.2 G MACs.
 */
import { z } from "zod";
import type { TypedBuilder } from "../ops/typed-builder.ts";
import { Layers } from "./_layers.ts";
import { commonParams, defineArchitecture, dropoutParam } from "./define-architecture.ts";

export const wideResnet = defineArchitecture({
  name: "wide-resnet",
  summary: "wide residual network of any depth and width, WRN-16-4 by default",
  paper: "Zagoruyko, Komodakis: Wide residual networks, 2016, arXiv:1605.07146",
  params: z.object({
    ...commonParams,
    depth: z
      .int()
      .min(10)
      .max(196)
      .refine((depth) => depth % 6 === 4, "expected 6n + 4, such as 10, 16, 22, 28 or 40")
      .default(16)
      .describe("layers, 6n + 4"),
    width: z.number().min(0.0625).max(32).default(4).describe("multiplier of all channel counts"),
    dropout: dropoutParam(0),
  }),
  body({ g, params, random }, image) {
    const layers = new Layers(g, random);
    const blocks = (params.depth - 4) / 6;
    let x = layers.conv("stem", image, { out: 16, kernel: 3 });
    for (const [stage, base] of [16, 32, 64].entries())
      for (let block = 0; block < blocks; block++) {
        const out = Math.max(1, Math.round(base * params.width));
        const stride = stage > 0 && block === 0 ? 2 : 1;
        x = wideBlock(g, layers, `stage${stage + 1}/block${block + 1}`, x, { out, stride, dropout: params.dropout });
      }
    const last = layers.bnRelu("last", x);
    return layers.dense("logits", layers.globalAveragePool("pool", last), params.classes, "nothing");
  },
});

interface BlockShape {
  readonly out: number;
  readonly stride: number;
  readonly dropout: number;
}

function wideBlock(g: TypedBuilder, layers: Layers, name: string, x: string, { out, stride, dropout }: BlockShape) {
  const active = layers.bnRelu(name, x);
  const first = layers.conv(`${name}/conv1`, active, { out, kernel: 3, stride, pad: 1 });
  const middle = layers.dropout(`${name}/dropout`, layers.bnRelu(`${name}/conv1`, first), dropout);
  const second = layers.conv(`${name}/conv2`, middle, { out, kernel: 3 });
  const changes = stride !== 1 || layers.dim(x, 1) !== out;
  const shortcut = changes ? layers.conv(`${name}/shortcut`, active, { out, kernel: 1, stride }) : x;
  return g.op("Add", [second, shortcut], {}, { name: `${name}/add` });
}
