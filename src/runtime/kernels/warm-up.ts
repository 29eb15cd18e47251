/**
 * Engines compile WebAssembly in a hurry first, and well, beside what goes on, once they have seen it at work. The kernel that most of a
 * first run is spent in is seen at work on zeros while the network's file is still read.
 */
import type { CompiledKernels, Kernel } from "./instantiate.ts";

/** Weights of one output, which together are more work than engines wait for. */
const count = 500;
const calls = 8;

export function warmUp(kernels: CompiledKernels): void {
  const module = kernels.ask("conv");
  if (!(module instanceof WebAssembly.Module)) return;
  const { exports } = new WebAssembly.Instance(module, { env: { memory: new WebAssembly.Memory({ initial: 1 }) } });
  const { conv } = exports as { conv: Kernel };
  // Rows of 8 pixels and of 4 are taken by different functions.
  for (const width of [8, 4])
    for (let i = 0; i < calls; i++) conv(0, 0, count, 0, 0, 0, 2 ** 15, 8, 1, width, 4 * width, 0, 0);
}
