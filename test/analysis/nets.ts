/** Small networks with seeded weights, written layer by layer. */
import { type Attributes, int, ints } from "../../src/graph/attributes.ts";
import type { Dim, Graph } from "../../src/graph/graph.ts";
import { TypedBuilder } from "../../src/ops/typed-builder.ts";
import { createRandom, type Random } from "../../src/tensor/random.ts";
import { int64s, type Tensor, tensorOf } from "../../src/tensor/tensor.ts";

/** Writes layers; every layer is named. */
export class Net {
  readonly g = new TypedBuilder("net");
  private readonly random: Random = createRandom(21);

  constructor(shape: readonly Dim[]) {
    this.g.input("x", "float32", shape);
  }

  normal(...shape: number[]): Tensor {
    const size = shape.reduce((a, b) => a * b, 1);
    return tensorOf(
      "float32",
      shape,
      Array.from({ length: size }, () => this.random.normal()),
    );
  }

  weight(name: string, ...shape: number[]): string {
    return this.g.initializer(name, this.normal(...shape));
  }

  integers(...values: number[]): string {
    return this.g.initializer("ints", int64s(values));
  }

  channels(x: string): number {
    return Number(this.g.fact(x).shape?.[1]);
  }

  op(op: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.g.op(op, inputs, attributes);
  }

  /** A square Conv with bias, padded so that stride 1 keeps the size. */
  conv(name: string, x: string, outputs: number, kernel = 1, { group = 1, stride = 1 } = {}): string {
    const w = this.weight(`${name}.w`, outputs, this.channels(x) / group, kernel, kernel);
    const pads = ints(new Array<number>(4).fill((kernel - 1) / 2));
    const attributes = { pads, group: int(group), strides: ints([stride, stride]) };
    return this.g.op("Conv", [x, w, this.weight(`${name}.b`, outputs)], attributes, { name });
  }

  batchnorm(name: string, x: string): string {
    const channels = this.channels(x);
    const vectors = ["scale", "bias", "mean"].map((part) => this.weight(`${name}.${part}`, channels));
    const variance = this.g.initializer(
      `${name}.var`,
      tensorOf(
        "float32",
        [channels],
        Array.from({ length: channels }, () => 0.5 + this.random.uniform()),
      ),
    );
    return this.g.op("BatchNormalization", [x, ...vectors, variance], {}, { name });
  }

  relu(x: string): string {
    return this.g.op("Relu", [x]);
  }

  dense(name: string, x: string, outputs: number): string {
    const w = this.weight(`${name}.w`, this.channels(x), outputs);
    return this.g.op("Gemm", [x, w, this.weight(`${name}.b`, outputs)], {}, { name });
  }

  done(output: string): Graph {
    this.g.output(output);
    return this.g.build();
  }
}
