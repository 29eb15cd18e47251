/**
 * Residual networks for 32x32 images (He et al. 2015, arXiv:1512.03385, section 4.2): depth `6n + 2`, a 3x3 stem, three stages of
 * n blocks with `w, 2w, 4w` channels (w = 16), global average, one dense layer. A block is `relu(bn(conv(relu(bn(conv x)))) + x)`;
 * where a stage begins, the shortcut takes every second pixel and pads zero channels (option A), as the paper does on CIFAR.
 * Of the zero channels half stand before and half behind. ResNet-20: 0.27 M parameters, 41 M MACs.
 */
import { z } from "zod";
import type { TypedBuilder } from "../ops/typed-builder.ts";
import { Layers } from "./_layers.ts";
import { commonParams, defineArchitecture } from "./define-architecture.ts";

function defineResnet(depth: 8 | 20 | 32 | 56) {
  return defineArchitecture({
    name: `resnet-${depth}`,
    summary: `residual network of ${depth} layers for 32x32 images`,
    paper: "He, Zhang, Ren, Sun: Deep residual learning for image recognition, 2015, arXiv:1512.03385",
    params: z.object({
      ...commonParams,
      width: z.int().min(1).max(512).default(16).describe("channels of the first stage"),
    }),
    body({ g, params, random }, image) {
      const layers = new Layers(g, random);
      let x = layers.convBnRelu("stem", image, { out: params.width, kernel: 3 });
      for (const [stage, out] of [params.width, 2 * params.width, 4 * params.width].entries())
        for (let block = 0; block < (depth - 2) / 6; block++)
          x = residualBlock(g, layers, `stage${stage + 1}/block${block + 1}`, x, out, stage > 0 && block === 0 ? 2 : 1);
      return layers.dense("logits", layers.globalAveragePool("pool", x), params.classes, "nothing");
    },
  });
}

function residualBlock(g: TypedBuilder, layers: Layers, name: string, x: string, out: number, stride: number): string {
  const first = layers.convBnRelu(`${name}/conv1`, x, { out, kernel: 3, stride, pad: 1 });
  const second = layers.batchNorm(`${name}/conv2/bn`, layers.conv(`${name}/conv2`, first, { out, kernel: 3 }));
  const shortcut = layers.identityShortcut(`${name}/shortcut`, x, out, stride);
  return layers.relu(`${name}/relu`, g.op("Add", [second, shortcut], {}, { name: `${name}/add` }));
}

export const resnet8 = defineResnet(8);
export const resnet20 = defineResnet(20);
export const resnet32 = defineResnet(32);
export const resnet56 = defineResnet(56);
