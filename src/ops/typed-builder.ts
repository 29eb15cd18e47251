/** A graph builder that knows the facts of every value it has written, for code that must ask for shapes as it writes. */
import { type Attributes, float, int, ints } from "../graph/attributes.ts";
import { GraphBuilder, type OpOptions } from "../graph/builder.ts";
import type { Dim, Graph } from "../graph/graph.ts";
import type { DType } from "../tensor/dtype.ts";
import type { Shape } from "../tensor/shape.ts";
import { int64s, type Tensor, tensorOf } from "../tensor/tensor.ts";
import { constantFact, type Fact, staticShape } from "./fact.ts";
import { type InferOptions, inferFacts, inferNode } from "./infer.ts";

/** A `GraphBuilder` with facts and with short forms of the operators that gradients, losses and methods use most. */
export class TypedBuilder extends GraphBuilder {
  private readonly facts: Map<string, Fact>;

  constructor(start: string | Graph, options: InferOptions = {}) {
    super(start);
    this.facts = new Map(typeof start === "string" ? [] : inferFacts(start, options));
  }

  /** What is known of a value. */
  fact(name: string): Fact {
    const fact = this.facts.get(name);
    if (fact === undefined) throw new Error(`internal: value '${name}' is not in the graph`);
    return fact;
  }

  /** @throws NetpareError `bad-shape` where the value's shape is dynamic. */
  shape(name: string): Shape {
    return staticShape(this.fact(name));
  }

  dtype(name: string): DType {
    return this.fact(name).dtype;
  }

  override input(name: string, dtype: DType, shape: readonly Dim[]): string {
    this.facts.set(name, { dtype, shape });
    return super.input(name, dtype, shape);
  }

  override initializer(hint: string, tensor: Tensor): string {
    const name = super.initializer(hint, tensor);
    this.facts.set(name, constantFact(tensor));
    return name;
  }

  override node(
    op: string,
    inputs: readonly string[],
    outputCount: number,
    attributes: Attributes = {},
    options: OpOptions = {},
  ) {
    const outputs = super.node(op, inputs, outputCount, attributes, options);
    inferNode(this.nodes[this.nodes.length - 1]!, this.facts).forEach((fact, i) => {
      if (outputs[i]) this.facts.set(outputs[i], fact);
    });
    return outputs;
  }

  /** Declares an existing value to be an output, with the type that was inferred. */
  override output(name: string): void {
    const { dtype, shape } = this.fact(name);
    super.output(name, { dtype, shape });
  }

  /** A constant of one element in the dtype of `like`, of shape []. */
  scalar(value: number, like: string): string {
    return this.initializer("scalar", tensorOf(this.dtype(like), [], [value]));
  }

  add = (a: string, b: string) => this.op("Add", [a, b]);
  sub = (a: string, b: string) => this.op("Sub", [a, b]);
  mul = (a: string, b: string) => this.op("Mul", [a, b]);
  div = (a: string, b: string) => this.op("Div", [a, b]);
  neg = (a: string) => this.op("Neg", [a]);

  /** `a · value` for a number. */
  scale(a: string, value: number): string {
    return value === 1 ? a : this.mul(a, this.scalar(value, a));
  }

  reshape(a: string, shape: Shape): string {
    return this.op("Reshape", [a, this.initializer("shape", int64s(shape))]);
  }

  transpose(a: string, perm: readonly number[]): string {
    return this.op("Transpose", [a], { perm: ints(perm) });
  }

  /** Sums over `axes`, which stay with size 1 where `keepdims`; no axes leave `a` as it is. */
  reduceSum(a: string, axes: readonly number[], keepdims = true): string {
    if (axes.length === 0) return a;
    return this.op("ReduceSum", [a, this.initializer("axes", int64s(axes))], { keepdims: int(keepdims ? 1 : 0) });
  }

  /** 1 where `x > 0`, 0 elsewhere, in the dtype of `x`: three times faster in onnxruntime than Greater and Cast. */
  positive(x: string): string {
    return this.op("HardSigmoid", [x], { alpha: float(3e38), beta: float(0) });
  }
}
