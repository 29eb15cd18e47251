/**
 * PVANet's trunk with a classifier (Kim, Hong, Roh, Cheon, Park 2016, arXiv:1608.08021 and 1611.08588). Early layers compute one of
 * each pair of opposite filters, `C.ReLU(x) = relu(bn [x, -x])`, which halves a 3x3 convolution. Later ones are Inception with two
 * 3x3 for a 5x5. Blocks are residual and pre-activated, `y = s(x) + F(relu(bn x))`, s a 1x1 convolution of x where the shape
 * changes. 3.3 M parameters and 0.51 G MACs at 224x224, 1000 classes.
 *
 * The paper's detector merges several scales behind it; we put the global average and one dense layer there, or with `hidden` the
 * two dense layers of its pre-training (4096). Convolutions have no bias, batch norm has; counts of layers equal the paper's table.
 * Every channel count is multiplied by `width` and rounded. Below 112 pixels the stem has stride 1.
 */
import { z } from "zod";
import type { TypedBuilder } from "../ops/typed-builder.ts";
import { type ConvOptions, Layers } from "./_layers.ts";
import { commonParams, defineArchitecture, dropoutParam, sizeParam, widthParam } from "./define-architecture.ts";

const smallestPublished = 112;

/** Channels of a C.ReLU block: 1x1, 3x3 (doubled by C.ReLU), 1x1. */
const crelus = [
  { name: "conv2", repeats: 3, inner: 24, out: 64, stride: 1 },
  { name: "conv3", repeats: 4, inner: 48, out: 128, stride: 2 },
];

/** Channels of an Inception stage: branches of 1x1 and then 3x3, a pooled branch where it strides, 1x1. */
const inceptions = [
  {
    name: "conv4",
    first: [[64], [48, 128], [24, 48, 48]],
    later: [[64], [64, 128], [24, 48, 48]],
    pooled: 128,
    out: 256,
  },
  {
    name: "conv5",
    first: [[64], [96, 192], [32, 64, 64]],
    later: [[64], [96, 192], [32, 64, 64]],
    pooled: 128,
    out: 384,
  },
];

export const pvanet = defineArchitecture({
  name: "pvanet",
  summary: "PVANet's trunk with a width multiplier, for any image size",
  paper:
    "Hong, Roh, Kim, Cheon, Park: PVANet: lightweight deep neural networks for real-time object detection, 2016, arXiv:1611.08588",
  params: z.object({
    ...commonParams,
    size: sizeParam(24, 224),
    width: widthParam,
    hidden: z
      .int()
      .min(0)
      .max(16384)
      .default(0)
      .describe("units of two hidden dense layers; 0 takes the global average"),
    dropout: dropoutParam(0),
  }),
  body({ g, params, random }, image) {
    const layers = new Layers(g, random);
    const net = { g, layers, width: params.width };
    const stem = crelu(net, "conv1", image, { out: 16, kernel: 7, stride: params.size < smallestPublished ? 1 : 2 });
    let x = layers.maxPool("pool1", stem, 3, 2, false, 1);
    for (const { name, repeats, inner, out, stride } of crelus)
      for (let i = 1; i <= repeats; i++)
        x = creluBlock(net, `${name}_${i}`, x, { inner, out, stride: i === 1 ? stride : 1 });
    for (const { name, first, later, pooled, out } of inceptions) {
      x = inceptionBlock(net, `${name}_1`, x, first, out, pooled);
      for (const i of [2, 3, 4]) x = inceptionBlock(net, `${name}_${i}`, x, later, out);
    }
    const last = layers.bnRelu("last", x);
    if (params.hidden === 0)
      return layers.dense("logits", layers.globalAveragePool("pool5", last), params.classes, "nothing");
    let flat = layers.flatten("flatten", last);
    for (const name of ["fc6", "fc7"]) {
      const active = layers.relu(`${name}/relu`, layers.dense(name, flat, params.hidden));
      flat = layers.dropout(`${name}/dropout`, active, params.dropout);
    }
    return layers.dense("logits", flat, params.classes, "nothing");
  },
});

/** What the blocks write with. */
interface Net {
  readonly g: TypedBuilder;
  readonly layers: Layers;
  readonly width: number;
}

/** `relu(bn [y, -y])` with `y = conv x`: twice `out` channels. */
function crelu(net: Net, name: string, x: string, shape: ConvOptions): string {
  const y = conv(net, name, x, shape);
  const opposite = net.g.op("Neg", [y], {}, { name: `${name}/neg` });
  return net.layers.bnRelu(name, net.layers.concat(`${name}/concat`, [y, opposite]));
}

interface CreluShape {
  readonly inner: number;
  readonly out: number;
  readonly stride: number;
}

/** Three convolutions, the middle one with C.ReLU. The first block reads the stem, which is active already. */
function creluBlock(net: Net, name: string, x: string, { inner, out, stride }: CreluShape): string {
  const active = x === "pool1" ? x : net.layers.bnRelu(name, x);
  const narrow = convBnRelu(net, `${name}/1`, active, { out: inner, kernel: 1, stride });
  const doubled = crelu(net, `${name}/2`, narrow, { out: inner, kernel: 3 });
  return addShortcut(net, name, x, conv(net, `${name}/3`, doubled, { out, kernel: 1 }), { out, kernel: 1, stride });
}

/** Branches side by side; with a pooled branch all of them take every second pixel. */
function inceptionBlock(
  net: Net,
  name: string,
  x: string,
  branches: readonly (readonly number[])[],
  out: number,
  pooled = 0,
): string {
  const stride = pooled > 0 ? 2 : 1;
  const active = net.layers.bnRelu(name, x);
  const ends = branches.map((counts, branch) =>
    counts.reduce((y, count, i) => {
      const shape = { out: count, kernel: i === 0 ? 1 : 3, stride: i === 0 ? stride : 1 };
      return convBnRelu(net, `${name}/branch${branch + 1}/${i + 1}`, y, shape);
    }, active),
  );
  if (pooled > 0) {
    const pool = net.layers.maxPool(`${name}/pool`, active, 3, 2, false, 1);
    ends.push(convBnRelu(net, `${name}/pooled`, pool, { out: pooled, kernel: 1 }));
  }
  const mixed = conv(net, `${name}/out`, net.layers.concat(`${name}/concat`, ends), { out, kernel: 1 });
  return addShortcut(net, name, x, mixed, { out, kernel: 1, stride });
}

/** `y + x`, or `y + projection of x` where the shapes differ. */
function addShortcut(net: Net, name: string, x: string, y: string, projection: ConvOptions): string {
  const same = projection.stride === 1 && net.layers.dim(x, 1) === net.layers.dim(y, 1);
  const shortcut = same ? x : conv(net, `${name}/proj`, x, projection);
  return net.g.op("Add", [y, shortcut], {}, { name: `${name}/add` });
}

function convBnRelu(net: Net, name: string, x: string, shape: ConvOptions): string {
  return net.layers.bnRelu(name, conv(net, name, x, shape));
}

function conv({ layers, width }: Net, name: string, x: string, shape: ConvOptions): string {
  return layers.conv(name, x, { ...shape, out: Math.max(1, Math.round(shape.out * width)) });
}
