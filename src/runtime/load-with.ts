/**
 * Loads a network with given operators and kernels, and runs it: what `load` does once it has both, and what a network's own module does
 * with its own. Memory is laid out when the network is loaded, and does not grow. Kernels are compiled while it is.
 */
import type { Program, ReadLimits } from "../format/read.ts";
import { Build, type Operand, type Place, type Step, unsupported } from "./build.ts";
import type { CompiledKernels, Kernels, KernelVariant } from "./kernels/instantiate.ts";
import type { Forms, Operator } from "./operators/usual.ts";

/** An input or output. */
export interface NetworkPort {
  readonly name: string;
  /** For one image. */
  readonly shape: readonly number[];
}

export interface Network {
  readonly inputs: readonly NetworkPort[];
  readonly outputs: readonly NetworkPort[];
  /** What the file says beside: preprocessing, classes. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Bytes of weights and activations. */
  readonly memoryBytes: number;
  /** Bytes of activations. */
  readonly activationBytes: number;
  /** The instructions that the kernels use. */
  readonly variant: KernelVariant;
  /**
   * The outputs by name for the inputs by name, or for the only one; as many images as the inputs hold, one after another.
   * @throws NetpareError where an input is missing or no whole number of images.
   */
  run(inputs: Float32Array | Readonly<Record<string, Float32Array>>): Record<string, Float32Array>;
}

export interface LoadOptions extends ReadLimits {
  /** Where left out, the faster that the engine can run. */
  readonly variant?: KernelVariant;
  /** Most bytes of weights and activations; 1 GiB where left out. */
  readonly memoryBytes?: number;
}

/** What kernels can address: they count in int32. */
const addressable = 2 ** 31 - 2 ** 16;

/** What networks are run with; who ships one network needs few of them. */
export interface Parts {
  /** By ONNX's names. */
  readonly operators: Pick<ReadonlyMap<string, Operator>, "get">;
  readonly kernels: CompiledKernels;
  readonly forms?: Forms;
  /** Operators that take 8-bit numbers as they are, and what lets the others take them. */
  readonly byteOperators?: ReadonlySet<string>;
  readonly widenBytes?: typeof import("./widen-bytes.ts").widenBytes;
  readonly makeHashed?: typeof import("./make-hashed.ts").makeHashed;
  /** What is taken instead where one of the operators leaves a node to others. */
  readonly further?: () => Promise<Omit<Parts, "kernels">>;
}

/**
 * Lays a program's memory out and compiles the kernels that it needs.
 * @throws NetpareError `bad-model` where the runtime cannot run it.
 */
export async function loadWith(read: Program, given: Parts, options: LoadOptions = {}): Promise<Network> {
  const { kernels } = given;
  const limit = Math.min(options.memoryBytes ?? 2 ** 30, addressable);
  const layOut = (parts: Omit<Parts, "kernels">) => {
    const made = parts.makeHashed?.(read) ?? read;
    const program = parts.widenBytes?.(made, ({ op }) => parts.byteOperators!.has(op)) ?? made;
    const build = new Build(program, limit, parts.forms, (name) => kernels.ask(name));
    return addNodes(build, parts.operators) && build;
  };
  const build = layOut(given) || (given.further && layOut(await given.further()));
  if (!build) throw unsupported("its operators leave a node");
  const { program } = build;
  const ports = [program.inputs, program.outputs].map((list) =>
    list.map(({ name, value }) => ({
      name,
      shape: build.shape(value),
      size: build.size(value),
      place: build.place(value),
    })),
  ) as [Port[], Port[]];
  const { bytes, arenaBytes } = build.layOut();
  const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / 65536) });
  const made = await kernels.instantiate(memory);
  build.fill(new Uint8Array(memory.buffer), made);
  const [inputs, outputs] = ports;
  const act = joinSteps(build.steps, memory, made);
  return {
    inputs: inputs.map(({ name, shape }) => ({ name, shape })),
    outputs: outputs.map(({ name, shape }) => ({ name, shape })),
    metadata: program.metadata,
    memoryBytes: memory.buffer.byteLength,
    activationBytes: arenaBytes,
    variant: kernels.variant,
    run: (given) => runImages(new Float32Array(memory.buffer), inputs, outputs, feedsOf(given, program), act),
  };
}

interface Port extends NetworkPort {
  readonly size: number;
  readonly place: Place;
}

/** Puts the steps of all nodes; false where an operator leaves one. */
function addNodes(build: Build, operators: Parts["operators"]): boolean {
  for (const node of build.program.nodes) {
    if (build.fused.has(node)) continue;
    const operator = node.domain === "" ? operators.get(node.op) : undefined;
    if (operator === undefined) throw unsupported(`it has no operator ${node.domain}${node.domain && "."}${node.op}`);
    if (node.op !== "Split" && node.outputs.slice(1).some((output) => output >= 0))
      throw unsupported(`${node.op} with more than one output`);
    if (operator(build, node) === false) return false;
  }
  return true;
}

/** One function that takes all steps. */
function joinSteps(steps: readonly Step[], memory: WebAssembly.Memory, kernels: Kernels) {
  const view = new Float32Array(memory.buffer);
  const address = (operand: Operand) =>
    typeof operand === "number" ? operand : operand.region.address + operand.offset;
  const calls = steps.map((step) => {
    const operands = step.operands.map(address);
    if ("act" in step) return () => step.act(view, ...operands);
    const kernel = kernels[step.kernel];
    return () => kernel(...operands);
  });
  return () => {
    for (const call of calls) call();
  };
}

function feedsOf(given: Parameters<Network["run"]>[0], { inputs }: Program): Readonly<Record<string, Float32Array>> {
  if (!(given instanceof Float32Array)) return given;
  if (inputs.length !== 1) throw unsupported(`it has ${inputs.length} inputs; give them by name`);
  return { [inputs[0]!.name]: given };
}

function runImages(
  memory: Float32Array,
  inputs: readonly Port[],
  outputs: readonly Port[],
  given: Readonly<Record<string, Float32Array>>,
  act: () => void,
): Record<string, Float32Array> {
  const [lead] = inputs;
  // Without an input every run gives the same.
  const images = lead ? (given[lead.name]?.length ?? 0) / lead.size : 1;
  for (const { name, size, shape } of inputs)
    if (images < 1 || given[name]?.length !== Math.trunc(images) * size)
      throw unsupported(
        `input '${name}' wants ${size} numbers an image, (${shape}), and got ${given[name]?.length ?? "none"}`,
      );
  const several = images === 1 ? [] : outputs.map(({ size }) => new Float32Array(images * size));
  const resultOf = ({ size, place }: Port) => {
    const at = (place.region.address + place.offset) / 4;
    return memory.subarray(at, at + size);
  };
  for (let image = 0; image < images; image++) {
    for (const { name, size, place } of inputs)
      memory.set(given[name]!.subarray(image * size, (image + 1) * size), (place.region.address + place.offset) / 4);
    act();
    for (const [i, array] of several.entries()) array.set(resultOf(outputs[i]!), image * outputs[i]!.size);
  }
  // One image's are copied to room that was not filled with zeros before.
  return Object.fromEntries(outputs.map((port, i) => [port.name, several[i] ?? resultOf(port).slice()]));
}
