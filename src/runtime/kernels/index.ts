/**
 * The kernels' loader: picks the variant the engine can run, decodes and instantiates the kernels that a network uses, all on one
 * memory. What each kernel computes, and the order of its operands, stands at the head of its file in `assembly/`.
 */
import { modules } from "./generated.ts";

export type KernelName = keyof typeof modules.plain;
export type KernelVariant = "plain" | "relaxed";

/** A kernel: operands are byte offsets, counts and floats; it writes to memory and answers nothing. */
export type Kernel = (...operands: readonly number[]) => void;
export type Kernels<N extends KernelName = KernelName> = { readonly [name in N]: Kernel };

/** A function of one `f32x4.relaxed_madd`: valid only where relaxed SIMD is known. */
const probe = "AGFzbQEAAAABCAFgA3t7ewF7AwIBAAoNAQsAIAAgASAC/YUCCw==";

const decode = (text: string) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

/** The faster variant that this engine can run. */
export function chooseVariant(): KernelVariant {
  return WebAssembly.validate(decode(probe)) ? "relaxed" : "plain";
}

/** The kernels of `names` on `memory`; a name whose variants are the same has one module. */
export async function compileKernels<N extends KernelName>(
  names: Iterable<N>,
  memory: WebAssembly.Memory,
  variant: KernelVariant = chooseVariant(),
): Promise<Kernels<N>> {
  const texts: Readonly<Partial<Record<KernelName, string>>> = variant === "plain" ? {} : modules.relaxed;
  const made = await Promise.all(
    [...new Set(names)].map(async (name) => {
      const { instance } = await WebAssembly.instantiate(decode(texts[name] ?? modules.plain[name]), {
        env: { memory },
      });
      return [name, instance.exports[name]];
    }),
  );
  return Object.fromEntries(made) as Kernels<N>;
}
