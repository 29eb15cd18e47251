/**
 * A seeded generator, xoshiro128** (Blackman, Vigna 2018, arXiv:1805.01407), seeded through splitmix32.
 * Its state can be saved and restored, so that a resumed run draws what the first would have drawn.
 */

/** A stream of random numbers. */
export interface Random {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Standard normal. */
  normal(): number;
  /** Uniform integer in [0, n). */
  below(n: number): number;
  /** A permutation of 0..n-1 (Fisher-Yates). */
  permutation(n: number): Uint32Array;
  /** An independent stream, fixed by this stream's seed and `key` alone. */
  fork(key: number): Random;
  /** Four 32-bit words from which `restoreRandom` goes on. */
  state(): readonly number[];
}

/** A generator for `seed`, any integer. */
export function createRandom(seed: number): Random {
  let s = seed >>> 0;
  const mix = () => {
    s = (s + 0x9e3779b9) >>> 0;
    let z = s;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
  return restoreRandom([mix(), mix(), mix(), mix()]);
}

/** The generator that stands at `state`. */
export function restoreRandom(state: readonly number[]): Random {
  let [a = 1, b = 2, c = 3, d = 4] = state;
  const origin = (a ^ Math.imul(c, 0x9e3779b9)) >>> 0;
  const next = () => {
    const r = Math.imul(b, 5);
    const result = Math.imul((r << 7) | (r >>> 25), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = (d << 11) | (d >>> 21);
    return result;
  };
  const uniform = () => (next() * 0x200000 + (next() >>> 11)) / 2 ** 53;
  return {
    uniform,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    below: (n) => Math.floor(uniform() * n),
    permutation(n) {
      const order = Uint32Array.from({ length: n }, (_, i) => i);
      for (let i = n - 1; i > 0; i--) {
        const j = Math.floor(uniform() * (i + 1));
        const held = order[i]!;
        order[i] = order[j]!;
        order[j] = held;
      }
      return order;
    },
    fork: (key) => createRandom((origin ^ Math.imul(key + 1, 0x85ebca6b)) >>> 0),
    state: () => [a >>> 0, b >>> 0, c >>> 0, d >>> 0],
  };
}
