/** Seeded damage to `.pare` files: of their bytes, and of the program that they hold, which is written anew. */
import { decodeSymbols } from "../../src/codec/symbols-decoder.ts";
import { encodeSymbols } from "../../src/codec/symbols-encoder.ts";
import { ByteWriter } from "../../src/format/_bytes.ts";
import { checksum } from "../../src/format/_checksum.ts";
import { codeTensor, type TensorCode } from "../../src/format/code-tensor.ts";
import type { HashedTensor, PlainProgram } from "../../src/format/from-graph.ts";
import {
  attributeKinds,
  fileDtypes,
  headBytes,
  type ProgramNode,
  type ProgramValue,
} from "../../src/format/program.ts";
import { writeProgram } from "../../src/format/write.ts";
import type { Attribute } from "../../src/graph/attributes.ts";
import { operators } from "../../src/runtime/operators/index.ts";
import type { Random } from "../../src/tensor/random.ts";
import { sizeOf } from "../../src/tensor/shape.ts";
import { type Tensor, tensorOf, toNumbers } from "../../src/tensor/tensor.ts";

/** Damages bytes, sometimes their number; half of the time the checksum is made to hold, so that what lies behind it is reached. */
export function mutateBytes(file: Uint8Array, random: Random): Uint8Array {
  const cut = random.below(4) === 0 ? random.below(file.length) : file.length;
  const bytes = file.slice(0, cut);
  for (let left = 1 + random.below(3); left > 0 && bytes.length > 0; left--) {
    // The structure comes first, and is what most is built on.
    const at = random.below(2) ? random.below(bytes.length) : random.below(Math.min(bytes.length, 300));
    bytes[at] = random.below(2) ? random.below(256) : bytes[at]! ^ (1 << random.below(8));
  }
  if (random.below(4) > 0 && bytes.length > headBytes) {
    bytes.set(file.subarray(0, 4));
    bytes[headBytes] = file[headBytes]!;
    new DataView(bytes.buffer).setUint32(4, checksum(bytes.subarray(headBytes)), true);
  }
  return bytes;
}

/** Damages the structure behind its coder, and codes it anew. */
export function mutateStructure(file: Uint8Array, random: Random): Uint8Array {
  let at = headBytes + 1;
  const size = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = file[at++]!;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  const [plain, coded] = [size(), size()];
  const stored = file.slice(at, at + coded);
  const structure = plain === coded ? stored : decodeSymbols(stored, plain, { alphabet: 256, row: 1 });
  const bytes = random.below(3) ? structure : structure.slice(0, 1 + random.below(plain));
  for (let left = 1 + random.below(3); left > 0; left--) {
    const place = random.below(bytes.length);
    bytes[place] = random.below(2) ? bytes[place]! + pick(random, [1, 255, 2, 254, 128]) : random.below(256);
  }
  const again = random.below(2) ? bytes : encodeSymbols(bytes, { alphabet: 256, row: 1 });
  const body = new ByteWriter();
  body.bytes(file.subarray(headBytes, headBytes + 1));
  body.size(bytes.length);
  body.size(again.length);
  body.bytes(again);
  body.bytes(file.subarray(at + coded));
  const covered = body.result();
  const whole = new Uint8Array(headBytes + covered.length);
  whole.set(file.subarray(0, headBytes));
  new DataView(whole.buffer).setUint32(4, checksum(covered), true);
  whole.set(covered, headBytes);
  return whole;
}

/** The file of a program of which one to three things are other than they were. */
export function mutateProgram(program: PlainProgram, random: Random): Uint8Array {
  let mutant = program;
  for (let left = 1 + random.below(3); left > 0; left--) mutant = pick(random, mutations)(mutant, random);
  return writeProgram(mutant, codeOnce);
}

const codes = new WeakMap<Tensor, TensorCode>();

function codeOnce(tensor: Tensor): TensorCode {
  const code = codes.get(tensor) ?? codeTensor(tensor);
  codes.set(tensor, code);
  return code;
}

const pick = <T>(random: Random, of: readonly T[]): T => of[random.below(of.length)]!;
const numbers = [
  0,
  1,
  2,
  3,
  4,
  5,
  7,
  8,
  16,
  100,
  2 ** 16,
  2 ** 20,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 40,
  2 ** 51,
];
const largest = 2 ** 51;
const near = (n: number, random: Random) =>
  random.below(2) ? pick(random, numbers) : Math.min(Math.max(0, n + pick(random, [-2, -1, 1, 2, n])), largest);
const signed = (n: number, random: Random) =>
  random.below(4) ? near(Math.abs(n), random) : -near(Math.abs(n), random);

type Mutation = (program: PlainProgram, random: Random) => PlainProgram;

const replaced = <T>(list: readonly T[], at: number, by: T) => list.with(at, by);

function withNode(program: PlainProgram, random: Random, change: (node: ProgramNode) => ProgramNode): PlainProgram {
  const at = random.below(program.nodes.length);
  return { ...program, nodes: replaced(program.nodes, at, change(program.nodes[at]!)) };
}

/** A constant of another shape, its elements repeated or cut; what a hash makes has as many values as before. */
function reshaped(tensor: Tensor | HashedTensor, shape: readonly number[]): Tensor | HashedTensor {
  if (!("data" in tensor)) return { ...tensor, shape };
  const size = sizeOf(shape);
  if (!(size <= 2 ** 13)) return tensor;
  const old = toNumbers(tensor);
  return tensorOf(
    tensor.dtype,
    shape,
    Array.from({ length: size }, (_, i) => old[i % (old.length || 1)] ?? 0),
  );
}

function withValue(program: PlainProgram, at: number, value: ProgramValue): PlainProgram {
  const tensor = program.tensors.get(at);
  const shape = value.dims.map(({ size }) => size);
  const tensors = tensor ? new Map([...program.tensors, [at, reshaped(tensor, shape)]]) : program.tensors;
  return { ...program, values: replaced(program.values, at, value), tensors };
}

/** One dimension of one value, or a dimension more or less; constants follow. */
const dimension: Mutation = (program, random) => {
  const at = random.below(program.values.length);
  const { dtype, dims } = program.values[at]!;
  const axis = random.below(dims.length + 1);
  const old = dims[axis] ?? { size: 1, perImage: false };
  const dim = { size: near(old.size, random), perImage: random.below(8) ? old.perImage : !old.perImage };
  return withValue(program, at, {
    dtype,
    dims: dims.toSpliced(axis, random.below(5), ...(random.below(5) ? [dim] : [])),
  });
};

/** Every dimension of one size, everywhere or in some places only. */
const size: Mutation = (program, random) => {
  const sizes = program.values.flatMap(({ dims }) => dims.map((dim) => dim.size));
  const old = pick(random, sizes);
  const by = near(old, random);
  const all = random.below(2) === 0;
  return program.values.reduce<PlainProgram>((result, { dtype, dims }, at) => {
    const changed = dims.map((dim) => (dim.size === old && (all || random.below(3)) ? { ...dim, size: by } : dim));
    return changed.some((dim, i) => dim !== dims[i]) ? withValue(result, at, { dtype, dims: changed }) : result;
  }, program);
};

const dtype: Mutation = (program, random) => {
  const at = random.below(program.values.length);
  const type = pick(random, fileDtypes);
  const tensor = program.tensors.get(at);
  const values = replaced(program.values, at, { ...program.values[at]!, dtype: type });
  if (!tensor || !("data" in tensor) || random.below(3) === 0) return { ...program, values };
  const other = tensorOf(
    type,
    tensor.shape,
    toNumbers(tensor).map((x) => (type.startsWith("float") ? x : Math.trunc(x))),
  );
  return { ...program, values, tensors: new Map([...program.tensors, [at, other]]) };
};

/** Elements of a constant: indices that lead outside, numbers that are none. */
const content: Mutation = (program, random) => {
  if (program.tensors.size === 0) return program;
  const [at, tensor] = pick(random, [...program.tensors]);
  if (!("data" in tensor))
    return { ...program, tensors: new Map([...program.tensors, [at, rehashed(tensor, random)]]) };
  const float = tensor.dtype.startsWith("float");
  const values = toNumbers(tensor).map((x) => {
    if (random.below(4)) return x;
    return float && random.below(3) === 0
      ? pick(random, [Number.NaN, Number.POSITIVE_INFINITY, 0.5])
      : signed(x, random);
  });
  return { ...program, tensors: new Map([...program.tensors, [at, tensorOf(tensor.dtype, tensor.shape, values)]]) };
};

/** Another seed, other groups, or other values. */
function rehashed(hashed: HashedTensor, random: Random): HashedTensor {
  const place = random.below(hashed.counts.length);
  switch (random.below(4)) {
    case 0:
      return { ...hashed, seed: near(hashed.seed, random) };
    case 1:
      return { ...hashed, counts: hashed.counts.with(place, near(hashed.counts[place]!, random)) };
    case 2:
      return { ...hashed, counts: hashed.counts.toSpliced(place, 1, ...(random.below(2) ? [1, 2] : [])) };
    default:
      return { ...hashed, isFrequency: !hashed.isFrequency };
  }
}

const attributes: Mutation = (program, random) =>
  withNode(program, random, (node) => {
    const names = [...Object.keys(node.attributes), ...knownAttributes];
    const name = random.below(2) ? names[0]! : pick(random, names);
    const old = node.attributes[name];
    if (random.below(6) === 0) {
      const { [name]: _, ...others } = node.attributes;
      return { ...node, attributes: others };
    }
    return { ...node, attributes: { ...node.attributes, [name]: mutantAttribute(old, random) } };
  });

const knownAttributes = (
  "axis axes keepdims group strides dilations pads kernel_shape auto_pad ceil_mode count_include_pad perm mode " +
  "blocksize transA transB alpha beta size epsilon output_padding output_shape batch_dims start end to"
).split(" ");

function mutantAttribute(old: Attribute | undefined, random: Random): Attribute {
  const kind = old && random.below(6) ? old.kind : pick(random, attributeKinds);
  const first = old && Array.isArray(old.value) ? old.value : [old?.value ?? 1];
  const given = first.map((value) => (typeof value === "number" ? value : 1));
  const list = given.map((value) => (random.below(2) ? signed(value, random) : value));
  if (random.below(4) === 0) list.splice(random.below(list.length + 1), random.below(2), signed(1, random));
  const some = Math.fround(signed(given[0]!, random) * (random.below(2) ? 1 : 0.3));
  switch (kind) {
    case "int":
      return { kind, value: signed(given[0]!, random) };
    case "ints":
      return { kind, value: list };
    case "float":
      return { kind, value: random.below(5) ? some : Number.NaN };
    case "floats":
      return { kind, value: list.map((value) => Math.fround(value / 2)) };
    case "string":
      return {
        kind,
        value: pick(random, ["SAME_LOWER", "VALID", "wrap", "linear", "CRD", "asymmetric", "", "align_corners"]),
      };
    default:
      return { kind: "strings", value: ["a"] };
  }
}

const operator: Mutation = (program, random) =>
  withNode(program, random, (node) => ({ ...node, op: pick(random, [...operators.keys()]) }));

/** A node that reads or writes something else, more or less. */
const wires: Mutation = (program, random) =>
  withNode(program, random, (node) => {
    const side = random.below(4) ? "inputs" : "outputs";
    const list = [...node[side]];
    list.splice(
      random.below(list.length + 1),
      random.below(2),
      ...(random.below(3) ? [random.below(program.values.length + 1) - 1] : []),
    );
    return { ...node, [side]: list };
  });

/** Nodes twice, gone, or in another order; other values as inputs and outputs. */
const order: Mutation = (program, random) => {
  const at = random.below(program.nodes.length);
  const node = program.nodes[at]!;
  if (random.below(3) === 0) {
    const port = { name: "y", value: random.below(program.values.length) };
    return random.below(2) ? { ...program, outputs: [...program.outputs, port] } : { ...program, inputs: [port] };
  }
  const moved = program.nodes.toSpliced(at, random.below(2));
  return { ...program, nodes: moved.toSpliced(random.below(moved.length + 1), 0, ...(random.below(3) ? [node] : [])) };
};

const mutations: readonly Mutation[] = [
  dimension,
  size,
  size,
  dtype,
  content,
  attributes,
  attributes,
  operator,
  wires,
  order,
];
