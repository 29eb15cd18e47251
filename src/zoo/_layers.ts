/**
 * Layers as architectures write them: nodes named by a path (`stage1/block0/conv1`), parameters by what they are below it
 * (`…/weight`), drawn on the spot.
 *
 * He:      normal, `σ² = 2 / (I·kh·kw)`, for layers before a ReLU (He et al. 2015, arXiv:1502.01852)
 * LeCun:   normal, `σ² = 1 / (I·kh·kw)`, before a maxout of two pieces: `E max(a, b)² = σ²` (LeCun et al. 1998)
 * Xavier:  uniform, `σ² = 2 / (fan-in + fan-out)`, for the last layer (Glorot, Bengio 2010)
 * Batch norm starts as the identity, in inference form; training turns it on.
 */
import { float, int, ints } from "../graph/attributes.ts";
import type { TypedBuilder } from "../ops/typed-builder.ts";
import type { Random } from "../tensor/random.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import { int64s, scalar, type Tensor, tensor, tensorOf } from "../tensor/tensor.ts";

/** A convolution's geometry; stride 1, "same" padding (for odd kernels) and no bias where left out. */
export interface ConvOptions {
  readonly out: number;
  readonly kernel: number;
  readonly stride?: number;
  readonly pad?: number;
  readonly bias?: boolean;
  /** How the weight is drawn: He where left out. */
  readonly draw?: Draw;
}

/** How a weight is drawn, see the file's head. */
export type Draw = "he" | "lecun" | "xavier";

/** The layers, writing into `g` and drawing from `random`. Feature maps are `(N, C, H, W)`, rows `(N, F)`. */
export class Layers {
  private readonly g: TypedBuilder;
  private readonly random: Random;

  constructor(g: TypedBuilder, random: Random) {
    this.g = g;
    this.random = random;
  }

  /** `(N, I, H, W) -> (N, O, H', W')`. */
  conv(
    name: string,
    x: string,
    { out, kernel, stride = 1, pad = (kernel - 1) / 2, bias = false, draw = "he" }: ConvOptions,
  ): string {
    const shape = [out, this.dim(x, 1), kernel, kernel];
    const weight = this.weight(shape, draw);
    const inputs = [x, this.g.initializer(`${name}/weight`, weight)];
    if (bias) inputs.push(this.g.initializer(`${name}/bias`, tensor("float32", [out])));
    const attributes = {
      kernel_shape: ints([kernel, kernel]),
      strides: ints([stride, stride]),
      pads: ints([pad, pad, pad, pad]),
    };
    return this.g.op("Conv", inputs, attributes, { name });
  }

  /** Batch normalization (Ioffe, Szegedy 2015, arXiv:1502.03167). */
  batchNorm(name: string, x: string): string {
    const channels = this.dim(x, 1);
    const filled = (part: string, value: number) =>
      this.g.initializer(`${name}/${part}`, tensorOf("float32", [channels], new Float64Array(channels).fill(value)));
    const inputs = [x, filled("scale", 1), filled("bias", 0), filled("mean", 0), filled("variance", 1)];
    return this.g.op("BatchNormalization", inputs, { epsilon: float(1e-5) }, { name });
  }

  relu(name: string, x: string): string {
    return this.g.op("Relu", [x], {}, { name });
  }

  /** `max(x, slope·x)` (Maas et al. 2013). */
  leakyRelu(name: string, x: string, slope: number): string {
    return this.g.op("LeakyRelu", [x], { alpha: float(slope) }, { name });
  }

  /** Batch norm, ReLU, named `name/bn` and `name/relu`. */
  bnRelu(name: string, x: string): string {
    return this.relu(`${name}/relu`, this.batchNorm(`${name}/bn`, x));
  }

  /** Conv, batch norm, ReLU. */
  convBnRelu(name: string, x: string, options: ConvOptions): string {
    return this.bnRelu(name, this.conv(name, x, options));
  }

  /** The greatest of `pieces` runs of channels, each `C / pieces` long (Goodfellow et al. 2013, arXiv:1302.4389). */
  maxout(name: string, x: string, pieces: number): string {
    const sizes = Array.from({ length: pieces }, () => this.dim(x, 1) / pieces);
    const split = this.g.initializer(`${name}/split`, int64s(sizes));
    const runs = this.g.node("Split", [x, split], pieces, { axis: int(1) }, { name: `${name}/pieces` });
    return this.g.op("Max", runs, {}, { name });
  }

  /** Values one behind another along the channels (or features). */
  concat(name: string, parts: readonly string[]): string {
    return this.g.op("Concat", parts, { axis: int(1) }, { name });
  }

  /** `kernel` and `stride` in both directions; `ceil` lets the last window hang over the border. */
  maxPool(name: string, x: string, kernel: number, stride = kernel, ceil = false, pad = 0): string {
    const attributes = {
      kernel_shape: ints([kernel, kernel]),
      strides: ints([stride, stride]),
      ...(pad > 0 && { pads: ints([pad, pad, pad, pad]) }),
      ...(ceil && { ceil_mode: int(1) }),
    };
    return this.g.op("MaxPool", [x], attributes, { name });
  }

  /** Windows of `kernel` that do not overlap; what is left over at the border is dropped. */
  averagePool(name: string, x: string, kernel: number): string {
    const attributes = { kernel_shape: ints([kernel, kernel]), strides: ints([kernel, kernel]) };
    return this.g.op("AveragePool", [x], attributes, { name });
  }

  /** `(N, C, H, W) -> (N, C)`. */
  globalAveragePool(name: string, x: string): string {
    return this.flatten(`${name}/flatten`, this.g.op("GlobalAveragePool", [x], {}, { name }));
  }

  /** `(N, C, H, W) -> (N, C)`. */
  globalMaxPool(name: string, x: string): string {
    return this.flatten(`${name}/flatten`, this.g.op("GlobalMaxPool", [x], {}, { name }));
  }

  /** `(N, C, H, W) -> (N, C·H·W)`. */
  flatten(name: string, x: string): string {
    return this.g.op("Flatten", [x], { axis: int(1) }, { name });
  }

  /** `(N, F) -> (N, out)` with a bias; He where a ReLU follows, LeCun where a maxout does, Xavier where nothing. */
  dense(name: string, x: string, out: number, followed: "relu" | "maxout" | "nothing" = "relu"): string {
    const draw = followed === "relu" ? "he" : followed === "maxout" ? "lecun" : "xavier";
    const inputs = [
      x,
      this.g.initializer(`${name}/weight`, this.weight([out, this.dim(x, 1)], draw)),
      this.g.initializer(`${name}/bias`, tensor("float32", [out])),
    ];
    return this.g.op("Gemm", inputs, { transB: int(1) }, { name });
  }

  /** Dropout, off in this inference form; training turns it on. A ratio of 0 leaves `x` as it is. */
  dropout(name: string, x: string, ratio: number): string {
    if (ratio === 0) return x;
    return this.g.op("Dropout", [x, this.g.initializer(`${name}/ratio`, scalar(ratio))], {}, { name });
  }

  /** Local response normalization across `size` channels (Krizhevsky et al. 2012). */
  lrn(name: string, x: string, options: { size: number; alpha: number; beta: number; bias: number }): string {
    const { size, alpha, beta, bias } = options;
    const attributes = { size: int(size), alpha: float(alpha), beta: float(beta), bias: float(bias) };
    return this.g.op("LRN", [x], attributes, { name });
  }

  /** Every `stride`-th pixel, and zero channels behind until there are `out`: He's shortcut without parameters (option A). */
  identityShortcut(name: string, x: string, out: number, stride: number): string {
    const missing = out - this.dim(x, 1);
    const far = 2 ** 31 - 1;
    const sampled =
      stride === 1
        ? x
        : this.g.op(
            "Slice",
            [
              x,
              ...[
                [0, 0],
                [far, far],
                [2, 3],
                [stride, stride],
              ].map((values, i) =>
                this.g.initializer(`${name}/${["starts", "ends", "axes", "steps"][i]}`, int64s(values)),
              ),
            ],
            {},
            { name: `${name}/slice` },
          );
    if (missing === 0) return sampled;
    const before = Math.floor(missing / 2);
    const pads = this.g.initializer(`${name}/pads`, int64s([0, before, 0, 0, 0, missing - before, 0, 0]));
    return this.g.op("Pad", [sampled, pads], {}, { name: `${name}/pad` });
  }

  /** Size of axis `axis` of a value whose batch alone is dynamic. */
  dim(x: string, axis: number): number {
    const dim = this.g.fact(x).shape?.[axis];
    if (typeof dim !== "number") throw new Error(`internal: axis ${axis} of '${x}' is not fixed`);
    return dim;
  }

  private weight(shape: Shape, draw: Draw): Tensor {
    return draw === "xavier" ? this.xavier(shape) : this.normal(shape, draw === "he" ? 2 : 1);
  }

  private normal(shape: Shape, gain: number): Tensor {
    const deviation = Math.sqrt(gain / sizeOf(shape.slice(1)));
    return tensorOf(
      "float32",
      shape,
      this.draw(shape, () => deviation * this.random.normal()),
    );
  }

  private xavier(shape: Shape): Tensor {
    const [out = 1, ...inner] = shape;
    const bound = Math.sqrt(6 / (out * sizeOf(inner.slice(1)) + sizeOf(inner)));
    return tensorOf(
      "float32",
      shape,
      this.draw(shape, () => bound * (2 * this.random.uniform() - 1)),
    );
  }

  private draw(shape: Shape, next: () => number): Float32Array {
    const values = new Float32Array(sizeOf(shape));
    for (let i = 0; i < values.length; i++) values[i] = next();
    return values;
  }
}
