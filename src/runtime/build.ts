/**
 * Turns a program into steps: calls of kernels, and copies by index for what only moves values. Addresses are known when all steps
 * are, because activations share memory as their lives allow. One image at a time: the batch is 1 everywhere.
 */
import { type Attribute, badFile, type Program, type ProgramNode } from "../format/read.ts";
import { layInTurn, layOut, type Region } from "./arena.ts";
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

  constructor(readonly program: Program) {
    for (const node of program.nodes)
      for (const input of new Set(node.inputs)) {
        const known = this.readers.get(input);
        if (known) known.push(node);
        else this.readers.set(input, [node]);
      }
    for (const { value } of program.inputs) this.write(value);
  }

  /** The dimensions of a value for one image. */
  shape(value: number): readonly number[] {
    return this.program.values[value]!.dims.map(({ size }) => size);
  }

  size(value: number): number {
    return this.shape(value).reduce((product, size) => product * size, 1);
  }

  isConstant(value: number): boolean {
    return this.program.tensors.has(value);
  }

  /** The elements of a constant as numbers. @throws where the value is computed. */
  constant(value: number): number[] | Float32Array {
    const tensor = this.program.tensors.get(value);
    if (tensor === undefined) throw unsupported(`value ${value} would have to be a constant`);
    const elements = tensor.decode();
    return elements instanceof Float32Array ? elements : Array.from(elements as Int32Array, Number);
  }

  /** The only node that reads a value which is no output. */
  onlyReader(value: number): ProgramNode | undefined {
    const readers = this.readers.get(value) ?? [];
    return readers.length === 1 && this.program.outputs.every((port) => port.value !== value) ? readers[0] : undefined;
  }

  /** Whether a value is there before the next step. */
  isReady(value: number): boolean {
    return this.places.has(value) || this.isConstant(value);
  }

  /** Where a value is, which the next step reads. */
  read(value: number): Place {
    const place = this.place(value);
    place.region.last = Math.max(place.region.last, this.steps.length);
    return place;
  }

  /** Where a value is. */
  place(value: number): Place {
    const place = this.places.get(value);
    if (place) return place;
    if (!this.isConstant(value)) throw badFile(`value ${value} is read before it is written`);
    const fixed = this.put(Float32Array.from(this.constant(value)));
    this.places.set(value, fixed);
    return fixed;
  }

  /** Where to write a value. */
  write(value: number): Place {
    if (this.program.values[value]!.dtype !== "float32") throw unsupported("only float32 is computed with");
    const place = this.scratch(4 * this.size(value));
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
  put(data: Float32Array | Int32Array): Place {
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
    const weightsEnd = layInTurn(this.fixed.keys(), slackBytes);
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
