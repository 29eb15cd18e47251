/** The kernels that the build made, apart from their loader, so that they can be fetched beside a network's file. */
import { modules } from "./generated.ts";
import {
  CompiledKernels,
  chooseVariant,
  decodeBase64,
  type KernelModules,
  type KernelName,
  type Kernels,
  type KernelVariant,
} from "./instantiate.ts";

export {
  CompiledKernels,
  chooseVariant,
  type Kernel,
  type KernelModules,
  type KernelName,
  type Kernels,
  type KernelVariant,
} from "./instantiate.ts";
export { warmUp } from "./warm-up.ts";

const relaxed: Readonly<Partial<Record<KernelName, string>>> = modules.relaxed;

/** Their WebAssembly; a name whose variants are the same has one module. */
export const kernelModules: KernelModules = (name, variant) =>
  decodeBase64((variant === "relaxed" ? relaxed[name] : undefined) ?? modules.plain[name]);

/** The kernels of `names` on `memory`. */
export function compileKernels<N extends KernelName>(
  names: Iterable<N>,
  memory: WebAssembly.Memory,
  variant: KernelVariant = chooseVariant(),
): Promise<Kernels<N>> {
  const kernels = new CompiledKernels<N>(variant, kernelModules);
  for (const name of names) kernels.ask(name);
  return kernels.instantiate(memory);
}
