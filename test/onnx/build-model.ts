/** Builds small model files straight from the schema, independently of the code under test, and runs files on onnxruntime. */
import { create, type DescMessage, type MessageInitShape, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import {
  type AttributeProtoSchema,
  type GraphProtoSchema,
  ModelProtoSchema,
  type NodeProtoSchema,
  type TensorProtoSchema,
} from "../../src/onnx/onnx_pb.ts";
import { createRandom } from "../../src/tensor/random.ts";

type Init<S extends DescMessage> = Exclude<MessageInitShape<S>, MessageShape<S>>;
type AttributeInit = Init<typeof AttributeProtoSchema>;
type NodeInit = Init<typeof NodeProtoSchema>;
type TensorInit = Init<typeof TensorProtoSchema>;

/** Element type numbers. */
export const elem = {
  float: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  double: 11,
  float8: 17,
};

export const attribute = {
  int: (name: string, i: number | bigint): AttributeInit => ({ name, type: 2, i: BigInt(i) }),
  ints: (name: string, values: readonly (number | bigint)[]): AttributeInit => ({
    name,
    type: 7,
    ints: values.map(BigInt),
  }),
  float: (name: string, f: number): AttributeInit => ({ name, type: 1, f }),
  floats: (name: string, floats: number[]): AttributeInit => ({ name, type: 6, floats }),
  string: (name: string, s: string): AttributeInit => ({ name, type: 3, s: new TextEncoder().encode(s) }),
  tensor: (name: string, t: TensorInit): AttributeInit => ({ name, type: 4, t }),
};

/** A node; its name is that of its first output. */
export function node(
  op: string,
  input: string[],
  output: string[],
  attributes: AttributeInit[] = [],
  more: NodeInit = {},
): NodeInit {
  return { name: output[0] ?? "", opType: op, input, output, attribute: attributes, ...more };
}

/** A tensor in its typed field. */
export function floats(name: string, dims: readonly number[], floatData: number[]): TensorInit {
  return { name, dims: dims.map(BigInt), dataType: elem.float, floatData };
}

export function int64s(name: string, values: readonly (number | bigint)[]): TensorInit {
  return { name, dims: [BigInt(values.length)], dataType: elem.int64, int64Data: values.map(BigInt) };
}

/** Seeded numbers around zero. */
export function randomFloats(count: number, seed: number): number[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => Math.fround(random.normal()));
}

type Dims = readonly (number | string)[];

/** A value's type as ValueInfoProto. */
export function value(name: string, shape: Dims | undefined, elemType = elem.float) {
  const dim = shape?.map((d) => ({
    value:
      typeof d === "number"
        ? ({ case: "dimValue", value: BigInt(d) } as const)
        : ({ case: "dimParam", value: d } as const),
  }));
  return {
    name,
    type: { value: { case: "tensorType", value: { elemType, ...(dim ? { shape: { dim } } : {}) } } as const },
  };
}

export interface ModelSpec {
  readonly opset: number;
  readonly nodes: NodeInit[];
  readonly inputs?: ReturnType<typeof value>[];
  readonly outputs?: ReturnType<typeof value>[];
  readonly initializers?: TensorInit[];
  readonly irVersion?: number;
  readonly graph?: Init<typeof GraphProtoSchema>;
  readonly model?: Init<typeof ModelProtoSchema>;
}

/** The format version that goes with an operator set. */
function irOf(opset: number): number {
  return opset < 9
    ? 3
    : opset === 9
      ? 4
      : opset === 10
        ? 5
        : opset === 11
          ? 6
          : opset < 15
            ? 7
            : opset < 19
              ? 8
              : opset < 21
                ? 9
                : 10;
}

/** The bytes of a model file. */
export function modelBytes(spec: ModelSpec): Uint8Array {
  const irVersion = spec.irVersion ?? irOf(spec.opset);
  const initializer = spec.initializers ?? [];
  const listed = irVersion < 4 ? initializer.map((t) => value(t.name!, t.dims!.map(Number), t.dataType!)) : [];
  const message = create(ModelProtoSchema, {
    irVersion: BigInt(irVersion),
    producerName: "a test",
    opsetImport: [{ domain: "", version: BigInt(spec.opset) }],
    ...spec.model,
    graph: {
      name: "g",
      node: spec.nodes,
      initializer,
      input: [...(spec.inputs ?? []), ...listed],
      output: spec.outputs ?? [],
      ...spec.graph,
    },
  });
  return toBinary(ModelProtoSchema, message);
}

/** A tensor as onnxruntime gives it back. */
export interface Result {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: ArrayLike<number | bigint | string>;
}

/** Opens a model on onnxruntime, silently. */
export function openSession(bytes: Uint8Array): Promise<InferenceSession> {
  return InferenceSession.create(bytes, { logSeverityLevel: 4, intraOpNumThreads: 1 });
}

/** Runs a model on seeded float inputs of the given shapes, or on given tensors. */
export async function runModel(
  bytes: Uint8Array,
  feeds: Readonly<Record<string, readonly number[] | OrtTensor>>,
): Promise<Record<string, Result>> {
  const session = await openSession(bytes);
  const tensors = Object.entries(feeds).map(([name, given], i) => {
    if ("dims" in given) return [name, given] as const;
    const count = given.reduce((product, dim) => product * dim, 1);
    return [name, new OrtTensor("float32", Float32Array.from(randomFloats(count, i + 1)), given)] as const;
  });
  const outputs = await session.run(Object.fromEntries(tensors));
  const results: Record<string, Result> = {};
  for (const name of session.outputNames) {
    const { type, dims, data } = outputs[name]!;
    results[name] = { type, dims: [...dims], data: Array.from(data as Float32Array) };
  }
  await session.release();
  return results;
}

/** The largest difference of two outputs, relative to the expected value where that is above 1. */
export function largestDifference(expected: ArrayLike<unknown>, got: ArrayLike<unknown>): number {
  let largest = expected.length === got.length ? 0 : Number.POSITIVE_INFINITY;
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [Number(expected[i]), Number(got[i])];
    if (Object.is(a, b)) continue;
    const difference = Math.abs(a - b) / Math.max(1, Math.abs(a));
    largest = difference <= largest ? largest : Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
  }
  return largest;
}
