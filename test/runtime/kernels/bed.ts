/**
 * A memory for testing kernels: each tensor is followed by 64 bytes of slack, filled with NaN so that a sum that uses them shows it,
 * and by 64 bytes that nobody may write.
 */
import v8 from "node:v8";
import { expect } from "vitest";
import {
  chooseVariant,
  compileKernels,
  type KernelName,
  type KernelVariant,
} from "../../../src/runtime/kernels/index.ts";
import { createRandom } from "../../../src/tensor/random.ts";

const slackBytes = 64;
const guardBytes = 64;
const guardValue = 0xa5;

/** Allocates tensors on one memory and checks what lies between them. */
export function createBed(memory = new WebAssembly.Memory({ initial: 64 })) {
  let top = 1024;
  const guards: number[] = [];
  const claim = (bytes: number) => {
    const at = top;
    const guard = at + bytes + slackBytes;
    new Uint8Array(memory.buffer, guard, guardBytes).fill(guardValue);
    guards.push(guard);
    top = Math.ceil((guard + guardBytes) / 16) * 16;
    return at;
  };
  const nans = (at: number, end: number) => {
    const bytes = new Uint8Array(memory.buffer, at, end - at);
    const pattern = new Uint8Array(Float32Array.of(Number.NaN).buffer);
    for (let i = 0; i < bytes.length; i++) bytes[i] = pattern[i & 3]!;
  };
  return {
    memory,
    /** Puts `data` down and returns its offset. */
    put(data: Float32Array | Int32Array | Uint8Array): number {
      const at = claim(data.byteLength);
      new Uint8Array(memory.buffer, at).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      nans(at + data.byteLength, at + data.byteLength + slackBytes);
      return at;
    },
    /** Room for `count` floats, filled with NaN. */
    room(count: number): number {
      const at = claim(count * 4);
      nans(at, at + count * 4 + slackBytes);
      return at;
    },
    floats: (at: number, count: number) => new Float32Array(memory.buffer, at, count).slice(),
    /** Fails where a kernel wrote behind a tensor's slack. */
    checkGuards() {
      for (const guard of guards)
        expect(
          new Uint8Array(memory.buffer, guard, guardBytes).every((byte) => byte === guardValue),
          `written behind ${guard}`,
        ).toBe(true);
    },
    /** Forgets all tensors. */
    clear() {
      top = 1024;
      guards.length = 0;
    },
  };
}

export type Bed = ReturnType<typeof createBed>;

/** Node.js 20 knows relaxed SIMD only behind a flag. */
function allowRelaxed(): boolean {
  if (chooseVariant() === "plain") v8.setFlagsFromString("--experimental-wasm-relaxed-simd");
  return chooseVariant() === "relaxed";
}

export const variants: readonly KernelVariant[] = allowRelaxed() ? ["plain", "relaxed"] : ["plain"];

/** A bed and freshly compiled kernels on it, which the engine has not yet optimized. */
export async function freshKernels<N extends KernelName>(names: readonly N[], variant: KernelVariant) {
  const bed = createBed();
  return { bed, kernels: await compileKernels(names, bed.memory, variant) };
}

/** Seeded floats in [-1, 1). */
export function noise(count: number, seed: number): Float32Array {
  const random = createRandom(seed);
  return Float32Array.from({ length: count }, () => random.uniform() * 2 - 1);
}

/** Fails at the largest error where it is above `tolerance * max(1, |expected|)`. */
export function expectClose(
  got: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what: string,
): void {
  expect(got.length, what).toBe(expected.length);
  let worst = 0;
  let at = 0;
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(got[i], expected[i]) || got[i] === expected[i]) continue;
    const error = Math.abs(got[i]! - expected[i]!) / Math.max(1, Math.abs(expected[i]!));
    if (!(error <= worst)) {
      worst = error;
      at = i;
      if (Number.isNaN(error)) break;
    }
  }
  const report = `${what}: largest error ${worst} at ${at}, expected ${expected[at]}, got ${got[at]}, tolerance ${tolerance}`;
  expect(worst <= tolerance, report).toBe(true);
}

/** What every kernel must pass: `check` right on the first calls, and again after `warm` was called 2,000 times. */
export function coldAndWarm(check: () => void, warm: () => void): void {
  check();
  for (let i = 0; i < 2000; i++) warm();
  check();
}
