import { describe, expect, it } from "vitest";
import { roundAgainst } from "../../src/methods/_least-change.ts";

/** `R_ij / R_jj` of C = R·Rᵀ for C = [[1, r], [r, 1]]: R = [[√(1-r²), r], [0, 1]], row 1 holds column 1. */
const r = 0.9;
const inputs = { mean: Float64Array.of(2, 3), order: [0, 1], feedback: Float64Array.of(1, 0, r, 1) };

describe("roundAgainst", () => {
  it("rounds an input against what the one before has left", () => {
    const { values, biases } = roundAgainst(Float32Array.of(0.4, 0.3), inputs, Math.round);
    // The first loses 0.4, of which the second takes 0.9.
    expect([...values]).toEqual([0, 1]);
    expect(biases[0]).toBeCloseTo(-(-0.4 * 2 + 0.7 * 3), 6);
  });

  it("costs less than rounding each weight alone", () => {
    const cost = (e: number, f: number) => e * e + 2 * r * e * f + f * f;
    let [alone, together] = [0, 0];
    for (let i = 0; i < 100; i++) {
      const [a, b] = [Math.sin(i) * 3, Math.cos(7 * i) * 3];
      const { values } = roundAgainst(Float32Array.of(a, b), inputs, Math.round);
      together += cost(values[0]! - a, values[1]! - b);
      alone += cost(Math.round(a) - a, Math.round(b) - b);
    }
    expect(together).toBeLessThan(0.7 * alone);
  });
});
