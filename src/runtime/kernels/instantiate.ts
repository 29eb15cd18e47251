/**
 * The kernels' loader: picks the variant the engine can run, compiles the kernels that a network asks for while it is laid out, and
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

/**
 * Most bytes of a kernel that is compiled at once, as all browsers let a page do. It takes some tenths of a millisecond; to wait for one
 * that is compiled beside takes several, mostly for its turn.
 */
const atOnce = 4096;

/** Kernels that are asked for by name. */
export class CompiledKernels<N extends KernelName = KernelName> {
  private readonly modules = new Map<N, WebAssembly.Module | Promise<WebAssembly.Module>>();

  constructor(
    readonly variant: KernelVariant,
    private readonly from: KernelModules,
  ) {}

  /** Compiles a kernel, or begins to, the first time. */
  ask(name: N): WebAssembly.Module | Promise<WebAssembly.Module> {
    const asked = this.modules.get(name);
    if (asked) return asked;
    const code = this.from(name, this.variant);
    const compiling = code.length <= atOnce ? new WebAssembly.Module(code) : WebAssembly.compile(code);
    // Said by `instantiate`, unless the network is refused before.
    if (compiling instanceof Promise) compiling.catch(() => {});
    this.modules.set(name, compiling);
    return compiling;
  }

  /** All that were asked for, on `memory`. */
  async instantiate(memory: WebAssembly.Memory): Promise<Kernels<N>> {
    const made: Record<string, unknown> = {};
    const imports = { env: { memory } };
    for (const [name, compiled] of this.modules) {
      const { exports } =
        compiled instanceof WebAssembly.Module
          ? new WebAssembly.Instance(compiled, imports)
          : await WebAssembly.instantiate(await compiled, imports);
      made[name] = exports[name];
    }
    return made as Kernels<N>;
  }
}
