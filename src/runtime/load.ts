/**
 * Loads a `.pare` file and runs it: `const network = await load("faces.pare"); network.run(pixels)`. No dependency; the same code in
 * Node and browsers, on the page or in a worker.
 */
import type { Decoders } from "../codec/decoders.ts";
import { isCoded, type Program, readWith } from "../format/read.ts";
import { unsupported } from "./build.ts";
import { type LoadOptions, loadWith, type Network } from "./load-with.ts";

export type { LoadOptions, Network, NetworkPort } from "./load-with.ts";

/** A file: its bytes, where to fetch it, or what was fetched. */
export type Source = Uint8Array | ArrayBuffer | Response | URL | string;

/**
 * Reads a file, lays its memory out and compiles the kernels that it needs. Kernels, the operators of
 * most CNNs, and what few networks need (coded constants, integers, binary or shared weights, rare operators) are modules of their own
 * that are fetched beside the file.
 * @throws NetpareError `bad-model` where it is no `.pare` file, or the runtime cannot run it.
 */
export async function load(source: Source, options?: LoadOptions): Promise<Network> {
  const fetching = Promise.all([import("./kernels/index.ts"), import("./operators/usual.ts")]);
  // Said where it is awaited, unless the file is refused before.
  fetching.catch(() => {});
  const file = await bytesOf(source);
  const further = () => import("./operators/index.ts");
  let all = isCoded(file) ? await further() : undefined;
  let decoders: Partial<Decoders> | undefined = all?.decoders;
  const [{ chooseVariant, CompiledKernels, kernelModules, warmUp }, { usualOperators, usualDecoders }] = await fetching;
  const kernels = new CompiledKernels(options?.variant ?? chooseVariant(), kernelModules);
  warmUp(kernels);
  const program = readWith(file, () => decoders ?? {}, options);
  if (!isUsual(program, usualOperators, usualDecoders)) all ??= await further();
  decoders = all?.decoders ?? usualDecoders;
  const parts = all ?? { operators: usualOperators, further: async () => (all = await further()) };
  return loadWith(program, { ...parts, kernels }, options);
}

/** Whether a network does with usual operators on floats, and its constants with usual decoders. */
function isUsual(
  { nodes, values, tensors }: Program,
  operators: ReadonlyMap<string, unknown>,
  decoders: object,
): boolean {
  return (
    nodes.every(({ op, domain }) => domain === "" && operators.has(op)) &&
    values.every(({ dtype }) => dtype === "float32" || dtype === "int64") &&
    [...tensors.values()].every(({ dtype, content }) =>
      content.form === "symbols"
        ? content.table.length === 1 || (dtype === "int64" && content.coder in decoders)
        : content.form === "raw" || content.form === "float16",
    )
  );
}

async function bytesOf(source: Source): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  const response = source instanceof Response ? source : await fetch(source);
  if (!response.ok) throw unsupported(`${response.url} answered ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
