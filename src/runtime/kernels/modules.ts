/** The WebAssembly of all kernels, as the build made it. */

import { modules } from "./generated.ts";
import { decodeBase64, type KernelModules, type KernelName } from "./index.ts";

const relaxed: Readonly<Partial<Record<KernelName, string>>> = modules.relaxed;

/** A kernel's module; a name whose variants are the same has one. */
export const kernelModules: KernelModules = (name, variant) =>
  decodeBase64((variant === "relaxed" ? relaxed[name] : undefined) ?? modules.plain[name]);
