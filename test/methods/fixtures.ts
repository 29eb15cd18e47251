/** Small networks that methods are tried on, with random weights, and images for them. */
import { createSamples } from "../../src/engine/samples.ts";
import { float, int, ints } from "../../src/graph/attributes.ts";
import type { Graph } from "../../src/graph/graph.ts";
import type { MethodContext, Samples } from "../../src/methods/index.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { scalar, tensorOf } from "../../src/tensor/tensor.ts";
import { Net } from "../analysis/nets.ts";

/** Images are 3x12x12, classes 4. */
export const classes = 4;
const size = 12;

/** A bottleneck whose branch is added to its input. */
function residual(): Graph {
  const net = new Net(["N", 3, size, size]);
  const stem = net.relu(net.batchnorm("bn0", net.conv("stem", "x", 8, 3)));
  const inner = net.relu(net.batchnorm("bn1", net.conv("inner", stem, 12, 3)));
  const sum = net.relu(net.g.add(net.batchnorm("bn2", net.conv("outer", inner, 8, 3)), stem));
  return net.done(net.dense("head", flat(net, net.op("GlobalAveragePool", [sum])), classes));
}

/** ResNet's shortcut without weights: every second pixel, and zeros for the new channels. */
function shortcut(): Graph {
  const net = new Net(["N", 3, size, size]);
  const stem = net.relu(net.batchnorm("bn0", net.conv("stem", "x", 8, 3)));
  const first = net.relu(net.batchnorm("bn1", net.conv("first", stem, 16, 3, { stride: 2 })));
  const second = net.batchnorm("bn2", net.conv("second", first, 16, 3));
  const bounds = [net.integers(0, 0), net.integers(size, size), net.integers(2, 3), net.integers(2, 2)];
  const half = net.op("Slice", [stem, ...bounds]);
  const zero = net.g.initializer("zero", scalar(0));
  const wide = net.op("Pad", [half, net.integers(0, 4, 0, 0, 0, 4, 0, 0), zero]);
  const sum = net.relu(net.g.add(second, wide));
  return net.done(net.dense("head", flat(net, net.op("GlobalAveragePool", [sum])), classes));
}

/** SqueezeNet's fire module; the classes are the channels of the last convolution. */
function fire(): Graph {
  const net = new Net(["N", 3, size, size]);
  const stem = net.relu(net.conv("stem", "x", 8, 3));
  const small = net.g.op("MaxPool", [stem], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) });
  const squeeze = net.relu(net.conv("squeeze", small, 6));
  const left = net.relu(net.conv("left", squeeze, 8));
  const right = net.relu(net.conv("right", squeeze, 8, 3));
  const joined = net.g.op("Concat", [left, right], { axis: int(1) });
  const scores = net.relu(net.conv("scores", joined, classes));
  const output = flat(net, net.op("GlobalAveragePool", [scores]));
  return net.done(net.g.op("Softmax", [output], { axis: int(-1) }));
}

/** Depthwise and pointwise layers with Relu6, and a dense layer over pixels and channels. */
function depthwise(): Graph {
  const net = new Net(["N", 3, size, size]);
  const relu6 = (x: string) =>
    net.op("Clip", [x, net.g.initializer("low", scalar(0)), net.g.initializer("high", scalar(6))]);
  const stem = relu6(net.batchnorm("bn0", net.conv("stem", "x", 8, 3, { stride: 2 })));
  const deep = relu6(net.batchnorm("bn1", net.conv("deep", stem, 8, 3, { group: 8 })));
  const point = relu6(net.batchnorm("bn2", net.conv("point", deep, 12)));
  const pooled = net.g.op("AveragePool", [point], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) });
  const pixels = net.op("Reshape", [pooled, net.integers(0, -1)]);
  const hidden = net.relu(net.dense("hidden", pixels, 10));
  return net.done(net.dense("head", hidden, classes));
}

/** DenseNet's order: a normalization behind a Concat, which no layer can take up. */
function dense(): Graph {
  const net = new Net(["N", 3, size, size]);
  const stem = net.conv("stem", "x", 6, 3);
  const grown = net.conv("grown", net.relu(net.batchnorm("bn1", stem)), 4, 3);
  const joined = net.g.op("Concat", [stem, grown], { axis: int(1) });
  const last = net.conv("last", net.g.op("LeakyRelu", [net.batchnorm("bn2", joined)], { alpha: float(0.1) }), 8, 3);
  return net.done(net.dense("head", flat(net, net.op("GlobalAveragePool", [net.relu(last)])), classes));
}

const flat = (net: Net, x: string) => net.g.op("Flatten", [x], { axis: int(1) });

/** All networks by name. */
export const fixtures: Readonly<Record<string, () => Graph>> = { residual, shortcut, fire, depthwise, dense };

/** `count` images of noise around a class's own colours. */
export function fixtureSamples(count = 64): Samples {
  const random = createRandom(4);
  const labels = Uint16Array.from({ length: count }, (_, i) => i % classes);
  const pixels = 3 * size * size;
  const images = Uint8Array.from({ length: count * pixels }, (_, i) => {
    const label = labels[Math.floor(i / pixels)]!;
    const channel = Math.floor(i / (size * size)) % 3;
    const value = 128 + 50 * ((label >> (channel % 2)) & 1 ? 1 : -1) + 40 * random.normal();
    return Math.min(255, Math.max(0, value));
  });
  return createSamples(
    { images, labels, length: count },
    {
      seed: 1,
      classes,
      storedShape: [3, size, size],
      preprocessing: { scale: 1 / 255, mean: [0.5], std: [0.25], channels: "rgb" },
      threads: 1,
    },
  );
}

/** What methods are applied with. */
export function fixtureContext(samples: Samples | undefined = fixtureSamples()): MethodContext {
  return { seed: 1, samples, models: new Map(), progress: () => {} };
}

/** One batch `(2, 3, 12, 12)` of seeded numbers. */
export function fixtureBatch() {
  const random = createRandom(8);
  return tensorOf(
    "float32",
    [2, 3, size, size],
    Array.from({ length: 2 * 3 * size * size }, () => random.normal()),
  );
}
