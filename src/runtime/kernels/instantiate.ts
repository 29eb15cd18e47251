/**
 * The kernels' loader: picks the variant the engine can run, and instantiates the kernels that a network uses, all on one memory. What
 * each kernel computes, and the order of its operands, stands at the head of its file in `assembly/`.
 */
import type { modules } from "./generated.ts";

export type KernelName = keyof typeof modules.plain;
export type KernelVariant = "plain" | "relaxed";

/** A kernel: operands are byte offsets, counts and floats; it writes to memory and answers nothing. */
export type Kernel = (...operands: readonly number[]) => void;
/** Where the WebAssembly of a kernel comes from. */
export type KernelModules = (name: KernelName, variant: KernelVariant) => Uint8Array;
export type Kernels<N extends KernelName = KernelName> = { readonly [name in N]: Kernel };

/** A function of one `f32x4.relaxed_madd`: valid only where relaxed SIMD is known. */
const probe = "AGFzbQEAAAABCAFgA3t7ewF7AwIBAAoNAQsAIAAgASAC/YUCCw==";

/** Bytes from base64. */
export const decodeBase64 = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

/** The faster variant that this engine can run. */
export function chooseVariant(): KernelVariant {
  return WebAssembly.validate(decodeBase64(probe)) ? "relaxed" : "plain";
}

/** The kernels of `names` on `memory`. */
export async function instantiateKernels<N extends KernelName>(
  names: Iterable<N>,
  memory: WebAssembly.Memory,
  variant: KernelVariant,
  from: KernelModules,
): Promise<Kernels<N>> {
  const made = await Promise.all(
    [...new Set(names)].map(async (name) => {
      const { instance } = await WebAssembly.instantiate(from(name, variant), { env: { memory } });
      return [name, instance.exports[name]];
    }),
  );
  return Object.fromEntries(made) as Kernels<N>;
}
