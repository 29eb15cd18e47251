/**
 * An operator is one object that knows everything about itself: attributes, shapes, cost, how channels run through it, its
 * gradient and its reference.
 *
 * Inputs are declared by ONNX's names: `["X", "W", "B?"]` (optional behind "?"), or `["inputs..."]` for any number. Every
 * callback receives them as `I`, a tuple of that form: of facts, of value names or of tensors.
 */
import { type Node, nodeLabel } from "../graph/graph.ts";
import { NetpareError } from "../tensor/error.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type AttributeSchema, type AttributesOf, readAttributes } from "./attribute-schema.ts";
import type { ChannelLinks, Shrink } from "./channels.ts";
import type { Fact, ShapedFact } from "./fact.ts";
import type { TypedBuilder } from "./typed-builder.ts";

/** Input names as an operator declares them. */
export type InputNames = readonly string[];

/** A tuple of `T`, one entry an input; optional inputs may be undefined. */
export type Tuple<N extends InputNames, T> = N extends readonly [`${string}...`]
  ? readonly T[]
  : { readonly [K in keyof N]: N[K] extends `${string}?` ? T | undefined : T };

/** A node with its attributes read and its inputs given. */
export interface Call<S extends AttributeSchema, N extends InputNames, T> {
  readonly node: Node;
  readonly a: AttributesOf<S>;
  readonly I: Tuple<N, T>;
}

/** A call whose output facts are known as well. */
export interface InferredCall<S extends AttributeSchema, N extends InputNames> extends Call<S, N, ShapedFact> {
  readonly O: readonly [ShapedFact, ...ShapedFact[]];
}

/** What a gradient rule is given: value names of inputs, outputs and the outputs' cotangents. */
export interface VjpCall<S extends AttributeSchema, N extends InputNames> extends Call<S, N, string> {
  readonly O: readonly [string, ...string[]];
  /** The first is always there; of further outputs only those that the loss depends on. */
  readonly GO: readonly [string, ...(string | undefined)[]];
  /** Whether the cotangent of input `i` is wanted; a costly one may be left null where it is not. */
  readonly wants: (i: number) => boolean;
}

/**
 * Emits the cotangents of the inputs, null where an input has none. A cotangent may still have the broadcast shape: the
 * reverse walk sums it down to the input's.
 */
export type Vjp<S extends AttributeSchema, N extends InputNames> = (
  g: TypedBuilder,
  call: VjpCall<S, N>,
) => readonly (string | null)[];

/** The rule of an operator that is constant almost everywhere or gives no floats: no input has a cotangent. */
export const zeroGradient = (): readonly null[] => [];

/** Why an operator has no gradient; distinct from one whose gradient is zero almost everywhere. */
export type NotDifferentiable = { readonly notDifferentiable: string };

/** What an operator says of itself. */
export interface OperatorSpec<S extends AttributeSchema, N extends InputNames> {
  readonly domain?: string;
  readonly inputs: N;
  readonly attributes: S;
  /** Facts of the outputs. Called only with inputs of known rank, unless `infersUnranked`. */
  readonly infer: (call: Call<S, N, ShapedFact>) => readonly Fact[];
  readonly infersUnranked?: boolean;
  /** Multiply-accumulates for static shapes; 0 where left out. */
  readonly macs?: (call: InferredCall<S, N>) => number;
  /** Positions of inputs that hold trained parameters where they are constant. */
  readonly weights?: readonly number[];
  /** Whether it makes much of little, so that files hold its inputs: no pass computes it. */
  readonly stored?: boolean;
  /** How channels run through; where left out, none of the channels it touches may be removed. */
  readonly channels?: {
    readonly link: (call: InferredCall<S, N>, links: ChannelLinks) => void;
    readonly shrink?: Shrink<S, N>;
  };
  readonly vjp: Vjp<S, N> | NotDifferentiable;
  /** The reference: plain loops in doubles, rounded to the outputs' dtypes. */
  readonly evaluate: (call: Call<S, N, Tensor>) => readonly Tensor[];
  /** Largest relative error that a float32 engine may show against the reference; 1e-5 where left out. */
  readonly tolerance?: number;
  /** For an operator of netpare's own domain: what it computes, in standard operators, from its input names to `outputs`. */
  readonly body?: Body;
}

/** A function of standard operators: nodes that write `outputs` from the operator's input names. */
export interface Body {
  readonly nodes: readonly Node[];
  readonly outputs: readonly string[];
}

/** An operator as the registry holds it: the specification behind calls that take a plain node. */
export interface Operator {
  readonly op: string;
  readonly domain: string;
  readonly inputs: InputNames;
  readonly weights: readonly number[];
  readonly stored: boolean;
  readonly tolerance: number;
  readonly body: Body | undefined;
  readonly differentiable: true | NotDifferentiable;
  /** Whether the gradient is `zeroGradient`. */
  readonly constantAlmostEverywhere: boolean;
  /** Whether `macs` may give more than 0. */
  readonly countsMacs: boolean;
  infer(node: Node, inputs: readonly (Fact | undefined)[]): readonly Fact[];
  macs(node: Node, inputs: readonly (Fact | undefined)[], outputs: readonly Fact[]): number;
  readonly link:
    | ((node: Node, I: readonly (Fact | undefined)[], O: readonly Fact[], links: ChannelLinks) => void)
    | undefined;
  shrink(
    node: Node,
    I: readonly (Fact | undefined)[],
    O: readonly Fact[],
    kept: Parameters<Shrink<AttributeSchema, InputNames>>[1],
  ): ReturnType<Shrink<AttributeSchema, InputNames>>;
  vjp(
    g: TypedBuilder,
    node: Node,
    cotangents: VjpCall<AttributeSchema, InputNames>["GO"],
    wants: (i: number) => boolean,
  ): readonly (string | null)[];
  evaluate(node: Node, inputs: readonly (Tensor | undefined)[]): readonly Tensor[];
}

/** Defines an operator of ONNX's default domain, or of `spec.domain`. */
export function defineOp<const N extends InputNames, S extends AttributeSchema>(
  op: string,
  spec: OperatorSpec<S, N>,
): Operator {
  const call = <T>(node: Node, inputs: readonly (T | undefined)[]): Call<S, N, T> => ({
    node,
    a: readAttributes(node, spec.attributes),
    I: inputs as unknown as Tuple<N, T>,
  });
  const inferred = (node: Node, inputs: readonly (Fact | undefined)[], outputs: readonly Fact[]) =>
    ({ ...call(node, inputs as readonly ShapedFact[]), O: outputs }) as unknown as InferredCall<S, N>;
  const { vjp } = spec;
  return {
    op,
    domain: spec.domain ?? "",
    inputs: spec.inputs,
    weights: spec.weights ?? [],
    stored: spec.stored ?? false,
    tolerance: spec.tolerance ?? 1e-5,
    body: spec.body,
    differentiable: typeof vjp === "function" ? true : vjp,
    constantAlmostEverywhere: vjp === zeroGradient,
    countsMacs: spec.macs !== undefined,
    infer(node, inputs) {
      checkArity(node, spec.inputs, inputs);
      const unranked = inputs.some((input) => input !== undefined && input.shape === undefined);
      if (unranked && !spec.infersUnranked)
        return node.outputs.map(() => ({ dtype: inputs[0]?.dtype ?? "float32", shape: undefined }));
      return spec.infer(call(node, inputs as readonly ShapedFact[]));
    },
    macs: (node, inputs, outputs) => spec.macs?.(inferred(node, inputs, outputs)) ?? 0,
    link: spec.channels && ((node, I, O, links) => spec.channels?.link(inferred(node, I, O), links)),
    shrink: (node, I, O, kept) => spec.channels?.shrink?.(inferred(node, I, O), kept) ?? {},
    vjp(g, node, cotangents, wants) {
      if (typeof vjp !== "function")
        throw new NetpareError("unsupported", `${nodeLabel(node)} has no gradient: ${vjp.notDifferentiable}`);
      const names = node.inputs.map((name) => (name === "" ? undefined : name));
      return vjp(g, { ...call(node, names), O: node.outputs, GO: cotangents, wants } as unknown as VjpCall<S, N>);
    },
    evaluate: (node, inputs) => spec.evaluate(call(node, inputs)),
  };
}

function checkArity(node: Node, names: InputNames, inputs: readonly unknown[]): void {
  if (names[0]?.endsWith("...")) return;
  names.forEach((name, i) => {
    if (!name.endsWith("?") && inputs[i] === undefined)
      throw new NetpareError("bad-model", `${nodeLabel(node)}: its input ${name} is missing`);
  });
  if (inputs.length > names.length)
    throw new NetpareError(
      "bad-model",
      `${nodeLabel(node)} has ${inputs.length} inputs, expected at most ${names.length}`,
    );
}
