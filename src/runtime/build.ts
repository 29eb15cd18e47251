/**
 * Turns a program into steps: calls of kernels, and copies by index for what only moves values. Addresses are known when all steps
 * are, because activations share memory as their lives allow. One image at a time: the batch is 1 everywhere.
 */
import { type Attribute, badFile, type Program, type ProgramNode } from "../format/read.ts";
import { layInTurn, layOut, type Region } from "./arena.ts";
import { placeInConcat } from "./concat-place.ts";
import type { Kernel, KernelName, Kernels } from "./kernels/index.ts";
import type { Forms } from "./operators/usual.ts";
import { type Packed, type Stored, storedOf } from "./stored.ts";

/** An address `offset` bytes into a region. */
export interface Place {
  readonly region: Region;
  readonly offset: number;
}

export type Operand = number | Place;

/** A kernel's call, or a function of the memory as floats and of its operands, addresses in bytes. */
export type Step =
  | { readonly kernel: KernelName; readonly operands: readonly Operand[] }
  | {
      readonly act: (memory: Float32Array, ...operands: readonly number[]) => void;
      readonly operands: readonly Operand[];
    };

/** What kernels may read and scribble on behind a tensor. */
const slackBytes = 64;

/** What a step and its operands take, roughly. */
const stepBytes = 512;
/** Most regions that are laid out: time grows with their square. */
const regionLimit = 2 ** 14;
/** Most numbers of a list, such as axes or pads, that is a constant. */
const listLimit = 64;
/** How many times the limit of memory may be read and made while a network is loaded. */
const workFactor = 16;

/** The steps of a program under construction. */
export class Build {
  readonly steps: Step[] = [];
  /** Nodes that an earlier one computes as well. */
  readonly fused = new Set<ProgramNode>();
  private readonly places = new Map<number, Place>();
  /** Where values are written in parts, before the last of them is. */
  private readonly begun = new Map<number, Place>();
  private readonly regions = new Set<Region>();
  private readonly fixed = new Map<Region, Uint8Array | Packed>();
  private readonly readers = new Map<number, ProgramNode[]>();
  private readonly writers = new Map<number, ProgramNode>();
  /** Constants that nodes make of others, and values that are computed where a step wants them. */
  private readonly folded = new Map<number, () => Float32Array>();
  private readonly deferred = new Map<number, () => void>();
  private readonly outputs: ReadonlySet<number>;
  /** Bytes that rows take on their way to their place. */
  private passing = 0;
  private arenaStart = 0;
  private held = 0;
  private work = 0;

  /** @throws where a value is read before it is written, or written twice, or takes more than `limit` bytes. */
  constructor(
    readonly program: Program,
    private readonly limit = 2 ** 30,
    readonly forms: Forms = {},
    /** Told of each kernel that is called. */
    private readonly ask: (name: KernelName) => void = () => {},
  ) {
    this.outputs = new Set(program.outputs.map(({ value }) => value));
    checkProgram(program, (bytes) => this.bound(bytes));
    for (const node of program.nodes) {
      for (const input of new Set(node.inputs)) {
        const readers = this.readers.get(input);
        if (readers) readers.push(node);
        else this.readers.set(input, [node]);
      }
      for (const output of node.outputs) this.writers.set(output, node);
    }
    for (const { value } of program.inputs) this.write(value);
  }

  /** Takes note of bytes that are held as long as the network. @throws where they are too many. */
  hold(bytes: number): void {
    this.held += bytes;
    this.bound(this.held);
  }

  /** Takes note of bytes that are read or made while it is loaded. @throws where they are too many. */
  spend(bytes: number): void {
    this.work += bytes / workFactor;
    this.bound(this.work);
  }

  private bound(bytes: number): void {
    if (!(bytes <= this.limit))
      throw unsupported(`it takes ${bytes} bytes, the limit is ${this.limit}; raise it if it should`);
  }

  /** An axis of a value counted from the first, which may be given from the last. @throws where it has images along it. */
  axis(value: number, given: number): number {
    const axis = axisOf(given, this.shape(value).length);
    if (axis === batchAxis(this.program, value)) throw unsupported("an operator over the images of a batch");
    return axis;
  }

  /** The dimensions of a value for one image. */
  shape(value: number): readonly number[] {
    const known = this.program.values[value];
    if (known === undefined) throw badFile("a node lacks an input or output");
    return known.dims.map(({ size }) => size);
  }

  size(value: number): number {
    return sizeOf(this.shape(value));
  }

  /** @throws where two values do not lie in memory alike. */
  checkBytes(a: number, b: number): void {
    if (this.elementBytes(a) !== this.elementBytes(b)) throw badFile(`value ${b} is of another type than ${a}`);
  }

  /** The first output of a node. @throws where it has another shape than the node gives. */
  output({ op, outputs }: ProgramNode, shape: readonly number[]): number {
    const found = this.shape(outputs[0]!);
    if (String(found) !== String(shape)) throw badFile(`an output of ${op} has the shape (${found}) for (${shape})`);
    return outputs[0]!;
  }

  /** Whether one of the forms has put a node's steps. */
  takes(node: ProgramNode): boolean {
    return this.forms.layers?.some((form) => form(this, node)) ?? false;
  }

  isConstant(value: number): boolean {
    return this.program.tensors.has(value) || this.folded.has(value);
  }

  /** Makes a value a constant; each call of `make` computes its elements anew. */
  fold(value: number, make: () => Float32Array): void {
    this.folded.set(value, make);
  }

  /** Lets `make` write a value right before the first step that reads it, or never. */
  defer(value: number, make: () => void): void {
    this.deferred.set(value, make);
  }

  /** The elements of a constant as numbers. @throws where the value is computed. */
  constant(value: number): ArrayLike<number> {
    this.spend(8 * this.size(value));
    const folded = this.folded.get(value);
    if (folded) return folded();
    const tensor = this.program.tensors.get(value);
    if (tensor === undefined) throw unsupported(`value ${value} would have to be a constant`);
    if (tensor.dtype.endsWith("float16")) throw unsupported(`values of ${tensor.dtype}`);
    const elements = tensor.decode();
    if (elements instanceof BigInt64Array || elements instanceof BigUint64Array) {
      this.bound(8 * this.size(value));
      return Float64Array.from(elements as BigInt64Array, Number);
    }
    return elements;
  }

  /** The elements of a constant of floats, as the file holds them where that is floats. @throws where the value is none. */
  stored(value: number): Stored {
    const { dtype, content } = this.program.tensors.get(value) ?? {};
    if (dtype === "float32" && (content?.form === "raw" || content?.form === "float16")) {
      this.spend(8 * this.size(value));
      return { bytes: content.bytes, elementBytes: content.form === "raw" ? 4 : 2 };
    }
    const elements = this.constant(value);
    if (!(elements instanceof Float32Array)) throw unsupported("weights that are no float32");
    return storedOf(elements);
  }

  /** A short constant, such as axes; undefined where it is left out. */
  list(value = -1): number[] | undefined {
    if (value < 0) return undefined;
    if (this.size(value) > listLimit) throw badFile(`a list of ${this.size(value)} numbers`);
    return Array.from(this.constant(value));
  }

  /** The only node that reads a value which is no output. */
  onlyReader(value: number): ProgramNode | undefined {
    const readers = this.readers.get(value) ?? [];
    return readers.length === 1 && !this.outputs.has(value) ? readers[0] : undefined;
  }

  /** The node that writes a value. */
  writer(value: number): ProgramNode | undefined {
    return this.writers.get(value);
  }

  /** Whether a value is there before the next step. */
  isReady(value: number): boolean {
    return this.places.has(value) || this.deferred.has(value) || this.isConstant(value);
  }

  /** Where a value is, which the next step reads. */
  read(value: number): Place {
    const place = this.place(value);
    place.region.last = Math.max(place.region.last, this.steps.length);
    return place;
  }

  /** Where a value is. */
  place(value: number): Place {
    const make = this.deferred.get(value);
    this.deferred.delete(value);
    make?.();
    const place = this.places.get(value);
    if (place) return place;
    if (!this.isConstant(value)) throw badFile(`value ${value} is read before it is written`);
    const elements = this.constant(value);
    const fixed = this.put(this.isByte(value) ? Uint8Array.from(elements) : Float32Array.from(elements));
    this.places.set(value, fixed);
    return fixed;
  }

  /** Whether a value is of 8-bit integers. */
  isByte(value: number): boolean {
    return /^u?int8$/.test(this.program.values[value]?.dtype ?? "");
  }

  /** Bytes of an element of a value that is computed: 8-bit integers are bytes, all others float32. */
  elementBytes(value: number): number {
    const { dtype } = this.program.values[value]!;
    if (dtype.endsWith("float16")) throw unsupported(`values of ${dtype}`);
    return this.isByte(value) ? 1 : 4;
  }

  /** Where to write a value: in the whole that it is a part of, where that can be. */
  write(value: number): Place {
    const place = this.begun.get(value) ?? placeInConcat(this, value) ?? this.begin(value);
    this.places.set(value, place);
    return place;
  }

  /** Where to write a value in parts; it is not ready before `write`. */
  begin(value: number): Place {
    const begun = this.begun.get(value);
    if (begun) return begun;
    const place = this.scratch(this.elementBytes(value) * this.size(value));
    if (this.outputs.has(value)) place.region.last = Number.POSITIVE_INFINITY;
    this.begun.set(value, place);
    return place;
  }

  /** Lets a value be another one under other dimensions. */
  view(value: number, of: number): void {
    if (this.size(value) !== this.size(of))
      throw badFile(`(${this.shape(of)}) cannot be seen as (${this.shape(value)})`);
    this.checkBytes(of, value);
    const place = this.read(of);
    if (this.outputs.has(value)) place.region.last = Number.POSITIVE_INFINITY;
    this.places.set(value, place);
  }

  /** Memory of the next step. */
  scratch(bytes: number): Place {
    const at = this.steps.length;
    this.bound(bytes);
    if (this.regions.size === regionLimit) throw unsupported(`more than ${regionLimit} steps`);
    const region = { bytes: bytes + slackBytes, first: at, last: at, address: 0 };
    this.regions.add(region);
    return { region, offset: 0 };
  }

  /** Puts a constant into memory. */
  put(data: ArrayBufferView): Place {
    return this.fix(data.byteLength, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }

  /** Puts weights (outputs, count) into memory in blocks of 8 outputs. */
  putRows(rows: Stored, outputs: number, count: number): Place {
    this.ask("pack");
    this.passing = Math.max(this.passing, Math.min(8, outputs) * count * rows.elementBytes);
    return this.fix(32 * Math.ceil(outputs / 8) * count, { ...rows, outputs, count });
  }

  private fix(size: number, content: Uint8Array | Packed): Place {
    this.hold(size);
    const region = { bytes: size + slackBytes, first: 0, last: Number.POSITIVE_INFINITY, address: 0 };
    this.fixed.set(region, content);
    return { region, offset: 0 };
  }

  call(kernel: KernelName, ...operands: readonly Operand[]): void {
    this.keepAlive(operands);
    this.ask(kernel);
    this.steps.push({ kernel, operands });
  }

  act(act: (memory: Float32Array, ...operands: readonly number[]) => void, ...operands: readonly Operand[]): void {
    this.keepAlive(operands);
    this.steps.push({ act, operands });
  }

  /** Lays memory out: constants first, then the arena. */
  layOut(): { readonly bytes: number; readonly arenaBytes: number } {
    const weightsEnd = layInTurn(this.fixed.keys(), slackBytes);
    this.arenaStart = weightsEnd;
    const arenaBytes = layOut(this.regions, weightsEnd) + slackBytes - weightsEnd;
    const bytes = weightsEnd + Math.max(arenaBytes, this.passing);
    this.bound(bytes);
    return { bytes, arenaBytes };
  }

  /** Writes the constants to their addresses; rows to be packed pass through the arena. */
  fill(memory: Uint8Array, { pack }: Partial<Kernels>): void {
    for (const [{ address }, content] of this.fixed) {
      if (content instanceof Uint8Array) memory.set(content, address);
      else packRows(memory, this.arenaStart, address, content, pack!);
    }
  }

  private keepAlive(operands: readonly Operand[]): void {
    this.hold(stepBytes);
    for (const operand of operands)
      if (typeof operand !== "number") operand.region.last = Math.max(operand.region.last, this.steps.length);
  }
}

function packRows(memory: Uint8Array, by: number, to: number, packed: Packed, pack: Kernel): void {
  const { bytes, elementBytes, outputs, count } = packed;
  const block = 8 * count * elementBytes;
  for (let o = 0; o < outputs; o += 8) {
    const at = (o / 8) * block;
    memory.set(bytes.subarray(at, at + block), by);
    pack(by, to + 4 * o * count, Math.min(8, outputs - o), count, elementBytes === 2 ? 1 : 0);
  }
}

/** The axis of a value along which images lie, -1 where there is none. */
function batchAxis({ values }: Program, value: number): number {
  return values[value]?.dims.findIndex(({ perImage }) => perImage) ?? -1;
}

/** @throws where a value is read before it is written, or written twice, or holds nothing, or mixes the images of a batch. */
function checkProgram(program: Program, bound: (bytes: number) => void): void {
  const { values, tensors, inputs, outputs, nodes } = program;
  const known = new Set(tensors.keys());
  const sizeOfValue = (value: number) => sizeOf((values[value]?.dims ?? []).map(({ size }) => size));
  const know = (value: number) => {
    if (known.has(value)) throw badFile(`value ${value} is written twice`);
    known.add(value);
    const size = sizeOfValue(value);
    if (!(size > 0)) throw unsupported(`value ${value} holds nothing`);
    bound(4 * size);
  };
  for (const value of known) bound(4 * sizeOfValue(value));
  for (const { value } of inputs) know(value);
  for (const node of nodes) {
    for (const input of node.inputs)
      if (input >= 0 && !known.has(input)) throw badFile(`value ${input} is read before it is written`);
    const eachImage =
      !["Shape", "Size"].includes(node.op) && node.inputs.some((input) => batchAxis(program, input) >= 0);
    for (const output of node.outputs) {
      if (output < 0) continue;
      know(output);
      if (eachImage && batchAxis(program, output) < 0) throw unsupported(`${node.op} over the images of a batch`);
    }
  }
  for (const { value } of outputs) if (!known.has(value)) throw badFile(`output ${value} is never written`);
  for (const { value } of [...inputs, ...outputs]) {
    if (batchAxis(program, value) > 0) throw unsupported("images of a batch that are not one after another");
    const dtype = values[value]?.dtype ?? "";
    if (dtype.endsWith("float16")) throw unsupported(`values of ${dtype}`);
    if (/^u?int8$/.test(dtype)) throw unsupported("its inputs and outputs have to be float32");
  }
}

/** A place some bytes further. */
export function behind({ region, offset }: Place, bytes: number): Place {
  return { region, offset: offset + bytes };
}

/** The error of what the runtime cannot run. */
export function unsupported(what: string): Error {
  return badFile(`the runtime cannot run it: ${what}`);
}

/** An attribute of a node, or what stands for it where it is absent. @throws where it is of another kind. */
export function attribute(node: ProgramNode, name: string, fallback: number): number;
export function attribute(node: ProgramNode, name: string, fallback: string): string;
export function attribute(node: ProgramNode, name: string, fallback: readonly number[]): readonly number[];
export function attribute(node: ProgramNode, name: string, fallback: Attribute["value"]): Attribute["value"] {
  const { kind, value = fallback } = node.attributes[name] ?? {};
  if (kind === "strings" || typeof value !== typeof fallback || Array.isArray(value) !== Array.isArray(fallback))
    throw badFile(`${node.op} has an attribute ${name} of another kind`);
  return value;
}

/** An axis counted from the first, which may be given from the last. */
export function axisOf(axis: number, rank: number): number {
  const from = axis < 0 ? axis + rank : axis;
  if (!(from >= 0 && from < rank && from % 1 === 0)) throw badFile(`axis ${axis} of ${rank}`);
  return from;
}

/** The shape of the broadcast of `shapes`. @throws where they do not go together. */
export function broadcast(shapes: readonly (readonly number[])[]): readonly number[] {
  const rank = shapes.reduce((most, { length }) => Math.max(most, length), 0);
  const padded = shapes.map((shape) => [...Array(rank - shape.length).fill(1), ...shape] as number[]);
  return Array.from({ length: rank }, (_, axis) =>
    padded.reduce((most, { [axis]: size }) => {
      if (most !== 1 && size !== 1 && size !== most) throw badFile(`(${shapes.join(") and (")}) do not go together`);
      return most === 1 ? size! : most;
    }, 1),
  );
}

/** The number of elements. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);
