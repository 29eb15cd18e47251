/**
 * Turns a program into steps: calls of kernels, and copies by index for what only moves values. Addresses are known when all steps
 * are, because activations share memory as their lives allow. One image at a time: the batch is 1 everywhere.
 */
import { type Attribute, badFile, type Program, type ProgramNode } from "../format/read.ts";
import { layOut, type Region } from "./arena.ts";
import type { KernelName } from "./kernels/index.ts";

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

/** The steps of a program under construction. */
export class Build {
  readonly steps: Step[] = [];
  /** Nodes that an earlier one computes as well. */
  readonly fused = new Set<ProgramNode>();
  private readonly places = new Map<number, Place>();
  private readonly regions = new Set<Region>();
  private readonly fixed = new Map<Region, Uint8Array>();
  private readonly readers = new Map<number, ProgramNode[]>();
  private readonly writers = new Map<number, ProgramNode>();
  /** Constants that nodes make of others, and values that are computed where a step wants them. */
  private readonly folded = new Map<number, () => Float32Array>();
  private readonly deferred = new Map<number, () => void>();

  constructor(readonly program: Program) {
    for (const node of program.nodes) {
      for (const output of node.outputs) this.writers.set(output, node);
      for (const input of new Set(node.inputs)) {
        const known = this.readers.get(input);
        if (known) known.push(node);
        else this.readers.set(input, [node]);
      }
    }
    for (const { value } of program.inputs) this.write(value);
    for (const { value } of [...program.inputs, ...program.outputs])
      if (this.elementBytes(value) !== 4) throw unsupported("its inputs and outputs have to be float32");
  }

  /** The dimensions of a value for one image. */
  shape(value: number): readonly number[] {
    return this.program.values[value]!.dims.map(({ size }) => size);
  }

  size(value: number): number {
    return this.shape(value).reduce((product, size) => product * size, 1);
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
    const folded = this.folded.get(value);
    if (folded) return folded();
    const tensor = this.program.tensors.get(value);
    if (tensor === undefined) throw unsupported(`value ${value} would have to be a constant`);
    const elements = tensor.decode();
    const isWide = elements instanceof BigInt64Array || elements instanceof BigUint64Array;
    return isWide ? Array.from(elements, Number) : elements;
  }

  /** The only node that reads a value which is no output. */
  onlyReader(value: number): ProgramNode | undefined {
    const readers = this.readers.get(value) ?? [];
    return readers.length === 1 && this.program.outputs.every((port) => port.value !== value) ? readers[0] : undefined;
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
    return /^u?int8$/.test(this.program.values[value]!.dtype);
  }

  /** Bytes of an element of a value that is computed: 1 or, of float32, 4. @throws where it is neither. */
  elementBytes(value: number): number {
    const { dtype } = this.program.values[value]!;
    if (dtype !== "float32" && !this.isByte(value)) throw unsupported(`${dtype} is not computed with`);
    return dtype === "float32" ? 4 : 1;
  }

  /** Where to write a value. */
  write(value: number): Place {
    const place = this.scratch(this.elementBytes(value) * this.size(value));
    if (this.program.outputs.some((port) => port.value === value)) place.region.last = Number.POSITIVE_INFINITY;
    this.places.set(value, place);
    return place;
  }

  /** Lets a value be another one under other dimensions. */
  view(value: number, of: number): void {
    const place = this.read(of);
    if (this.program.outputs.some((port) => port.value === value)) place.region.last = Number.POSITIVE_INFINITY;
    this.places.set(value, place);
  }

  /** Memory of the next step. */
  scratch(bytes: number): Place {
    const at = this.steps.length;
    const region = { bytes: bytes + slackBytes, first: at, last: at, address: 0 };
    this.regions.add(region);
    return { region, offset: 0 };
  }

  /** Puts a constant into memory. */
  put(data: ArrayBufferView): Place {
    const region = { bytes: data.byteLength + slackBytes, first: 0, last: Number.POSITIVE_INFINITY, address: 0 };
    this.fixed.set(region, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return { region, offset: 0 };
  }

  call(kernel: KernelName, ...operands: readonly Operand[]): void {
    this.hold(operands);
    this.steps.push({ kernel, operands });
  }

  act(act: (memory: Float32Array, ...operands: readonly number[]) => void, ...operands: readonly Operand[]): void {
    this.hold(operands);
    this.steps.push({ act, operands });
  }

  /** Lays memory out: constants first, then the arena. */
  layOut(): { readonly bytes: number; readonly arenaBytes: number } {
    const weightsEnd = layOut(this.fixed.keys(), slackBytes);
    const bytes = layOut(this.regions, weightsEnd) + slackBytes;
    return { bytes, arenaBytes: bytes - weightsEnd };
  }

  /** Writes the constants to their addresses. */
  fill(memory: Uint8Array): void {
    for (const [{ address }, data] of this.fixed) memory.set(data, address);
  }

  private hold(operands: readonly Operand[]): void {
    for (const operand of operands)
      if (typeof operand !== "number") operand.region.last = Math.max(operand.region.last, this.steps.length);
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

/** An attribute of a node, or what stands for it where it is absent. */
export function attribute(node: ProgramNode, name: string, fallback: number): number;
export function attribute(node: ProgramNode, name: string, fallback: string): string;
export function attribute(node: ProgramNode, name: string, fallback: readonly number[]): readonly number[];
export function attribute(node: ProgramNode, name: string, fallback: Attribute["value"]): Attribute["value"] {
  return node.attributes[name]?.value ?? fallback;
}
