import { describe, expect, it } from "vitest";
import { coldAndWarm, expectClose, freshKernels, noise, variants } from "./bed.ts";

const lengths = [1, 2, 3, 4, 5, 16, 31] as const;

const pairs: readonly ((a: number, b: number) => number)[] = [
  (a, b) => a + b,
  (a, b) => a - b,
  (a, b) => a * b,
  (a, b) => a / b,
  Math.max,
  Math.min,
  (a, b) => b - a,
  (a, b) => b / a,
  (a, b) => (a < 0 ? a * b : a),
];

const logistic = (x: number) => 1 / (1 + Math.exp(-x));
const even = (x: number) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));
const unaries: readonly ((x: number, alpha: number, beta: number) => number)[] = [
  (x, alpha, beta) => Math.min(Math.max(x, alpha), beta),
  (x, alpha) => (x < 0 ? alpha * x : x),
  logistic,
  Math.tanh,
  (x, alpha, beta) => Math.min(Math.max(alpha * x + beta, 0), 1),
  (x) => x * Math.min(Math.max(x / 6 + 0.5, 0), 1),
  (x, alpha) => (x < 0 ? alpha * Math.expm1(x) : x),
  Math.exp,
  Math.log,
  Math.sqrt,
  Math.abs,
  (x) => -x,
  (x) => 1 / x,
  (x, alpha, beta) => alpha * x + beta,
  Math.floor,
  Math.ceil,
  (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  (x) => x / (1 + Math.abs(x)),
  Math.sign,
  even,
  (x) => x * logistic(x),
];

/** Wide and narrow arguments; what is exact and what overflows. */
const arguments_ = Float32Array.from([
  ...noise(40, 7),
  ...noise(40, 8).map((x) => x * 20),
  ...noise(40, 9).map((x) => x * 1e-3),
  ...[0, 1, -1, 0.5, -0.5, 2.5, 87, -87, 60, -60, 1e-20, 3e38, -3e38, Infinity, -Infinity],
]);

/** The relative error, at the largest over all `got`; sums near 1 may lose what they cancel. */
function relativeError(got: ArrayLike<number>, expected: readonly number[]): number {
  return Math.max(
    ...expected.map((e, i) => {
      if (Object.is(got[i], e) || got[i] === e) return 0;
      return Math.abs(got[i]! - e) / Math.max(Math.abs(e), 1e-37);
    }),
  );
}

describe.each(variants)("elementwise kernels, %s", (variant) => {
  it("arithmetic: one shape, a channel's number, in place, cold and warm", async () => {
    const { bed, kernels } = await freshKernels(["arithmetic"], variant);
    const attempt = (op: number, channels: number, count: number, perChannel: boolean, inPlace: boolean) => {
      bed.clear();
      const [a, b] = [noise(channels * count, 1), noise(perChannel ? channels : channels * count, 2)];
      const [aAt, bAt] = [bed.put(a), bed.put(b)];
      const dst = inPlace ? aAt : bed.room(a.length);
      kernels.arithmetic(op, aAt, bAt, dst, channels, count, perChannel ? 1 : 0, -2, 2);
      const expected = Array.from(a, (value, i) =>
        Math.min(Math.max(pairs[op]!(value, b[perChannel ? Math.floor(i / count) : i]!), -2), 2),
      );
      expectClose(bed.floats(dst, a.length), expected, 1e-6, `op ${op}, ${channels} x ${count}`);
      bed.checkGuards();
    };
    const check = () => {
      for (const op of pairs.keys())
        for (const count of lengths)
          for (const inPlace of [false, true]) {
            attempt(op, 1, count, false, inPlace);
            for (const channels of [1, 3]) attempt(op, channels, count, true, inPlace);
          }
    };
    let turn = 0;
    coldAndWarm(check, () => attempt(turn++ % pairs.length, 2, 3, true, false));
  });

  it("unary: every function within 1e-6, cold and warm", async () => {
    const { bed, kernels } = await freshKernels(["unary"], variant);
    const [alpha, beta] = [0.2, 0.5];
    const attempt = (op: number, x: Float32Array, inPlace: boolean) => {
      bed.clear();
      const source = bed.put(x);
      const dst = inPlace ? source : bed.room(x.length);
      kernels.unary(op, source, dst, x.length, alpha, beta);
      const got = bed.floats(dst, x.length);
      bed.checkGuards();
      return got;
    };
    const check = () => {
      for (const [op, f] of unaries.entries()) {
        const x = op === 8 || op === 9 ? arguments_.map(Math.abs) : arguments_;
        const within = x.filter(
          (value) => Math.abs(f(value, alpha, beta)) < 3.4e38 || !Number.isFinite(f(value, alpha, beta)),
        );
        const expected = Array.from(within, (value) => f(value, Math.fround(alpha), beta));
        const got = attempt(op, within, false);
        // Where terms of size 1 cancel (near a root, or log(1 + a small number)) the error is absolute.
        if ([4, 5, 6, 13, 16].includes(op)) expectClose(got, expected, 1e-6, `op ${op}`);
        else {
          const worst = relativeError(got, expected);
          expect(worst, `op ${op}`).toBeLessThan(1e-6);
        }
      }
      for (const count of lengths)
        for (const inPlace of [false, true])
          expect([...attempt(11, noise(count, 3), inPlace)]).toEqual([...noise(count, 3)].map((x) => -x));
    };
    let turn = 0;
    coldAndWarm(check, () => attempt(turn++ % unaries.length, noise(3, 4), false));
  });

  it("unary: NaN stays NaN, logarithms of negatives are NaN, of subnormals true", async () => {
    const { bed, kernels } = await freshKernels(["unary"], variant);
    const x = bed.put(Float32Array.of(Number.NaN, -1, 1e-40, 0));
    const dst = bed.room(4);
    for (const op of unaries.keys()) {
      if (op === 18) continue;
      kernels.unary(op, x, dst, 4, 0, 6);
      expect(bed.floats(dst, 1)[0], `op ${op}`).toBeNaN();
    }
    kernels.unary(8, x, dst, 4, 0, 0);
    const [, negative, subnormal, zero] = bed.floats(dst, 4);
    expect(negative).toBeNaN();
    expect(subnormal).toBeCloseTo(Math.log(Math.fround(1e-40)), 4);
    expect(zero).toBe(-Infinity);
  });

  it("softmax and globalAverage agree with float64, cold and warm", async () => {
    const { bed, kernels } = await freshKernels(["softmax", "globalAverage"], variant);
    const attempt = (rows: number, count: number, inPlace: boolean) => {
      bed.clear();
      const x = noise(rows * count, 1).map((value) => value * 30 + 200);
      const [source, means] = [bed.put(x), bed.room(rows)];
      const dst = inPlace ? source : bed.room(x.length);
      kernels.globalAverage(source, means, rows, count);
      kernels.softmax(source, dst, rows, count);
      const row = (r: number) => Array.from(x.subarray(r * count, (r + 1) * count));
      const numbers = Array.from({ length: rows }, (_, r) => row(r));
      const sum = (values: readonly number[]) => values.reduce((s, value) => s + value, 0);
      expectClose(
        bed.floats(means, rows),
        numbers.map((values) => sum(values) / count),
        1e-6,
        `mean of ${count}`,
      );
      const soft = numbers.flatMap((values) => {
        const powers = values.map((value) => Math.exp(value - Math.max(...values)));
        return powers.map((power) => power / sum(powers));
      });
      expectClose(bed.floats(dst, x.length), soft, 1e-6, `softmax of ${rows} x ${count}`);
      bed.checkGuards();
    };
    const check = () => {
      for (const rows of [1, 3])
        for (const count of lengths) for (const inPlace of [false, true]) attempt(rows, count, inPlace);
    };
    coldAndWarm(check, () => attempt(2, 5, false));
  });
});
