/**
 * The kernels' loader: picks the variant the engine can run, compiles the kernels that a network uses while it is laid out, and
 * instantiates them on one memory. What each kernel computes, and the order of its operands, stands at the head of its file in `assembly/`.
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
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** The faster variant that this engine can run. */
export function chooseVariant(): KernelVariant {
  return WebAssembly.validate(decodeBase64(probe)) ? "relaxed" : "plain";
}

/** Kernels that are asked for by name and compiled beside what goes on meanwhile. */
export class CompiledKernels<N extends KernelName = KernelName> {
  private readonly modules = new Map<N, Promise<WebAssembly.Module>>();

  constructor(
    readonly variant: KernelVariant,
    private readonly from: KernelModules,
  ) {}

  /** Begins to compile a kernel, the first time. */
  ask(name: N): void {
    if (this.modules.has(name)) return;
    const compiled = WebAssembly.compile(this.from(name, this.variant));
    // Said by `instantiate`, unless the network is refused before.
    compiled.catch(() => {});
    this.modules.set(name, compiled);
  }

  /** All that were asked for, on `memory`. */
  async instantiate(memory: WebAssembly.Memory): Promise<Kernels<N>> {
    const made: Record<string, unknown> = {};
    for (const [name, compiled] of this.modules) {
      const { exports } = await WebAssembly.instantiate(await compiled, { env: { memory } });
      made[name] = exports[name];
    }
    return made as Kernels<N>;
  }
}
