/** `pack` gives every bit: all of binary16, its subnormals, infinities and no-numbers included, and binary32 as it is. */
import { describe, expect, it } from "vitest";
import { fromFloat16 } from "../../../src/tensor/half.ts";
import { coldAndWarm, freshKernels, noise, variants } from "./bed.ts";

describe.each(variants)("pack, %s", (variant) => {
  it("makes the number of each of the 65,536 binary16 patterns, in columns", async () => {
    const { bed, kernels } = await freshKernels(["pack"], variant);
    const [rows, count] = [8, 8192];
    const halves = Uint16Array.from({ length: rows * count }, (_, i) => i);
    const src = bed.put(new Uint8Array(halves.buffer));
    const dst = bed.room(8 * count);
    const few = bed.put(new Uint8Array(halves.buffer, 0, 64));
    const small = bed.room(8 * 8);
    const check = () => {
      kernels.pack(src, dst, rows, count, 1);
      const got = bed.floats(dst, 8 * count);
      const wrong = Array.from(halves).filter((bits) => {
        const column = bits % count;
        return !Object.is(got[column * 8 + Math.floor(bits / count)], fromFloat16(bits));
      });
      expect(wrong).toEqual([]);
      bed.checkGuards();
    };
    coldAndWarm(check, () => kernels.pack(few, small, 4, 8, 1));
  });

  it("moves binary32 without a change, and leaves the rows that there are not", async () => {
    const { bed, kernels } = await freshKernels(["pack"], variant);
    for (const [rows, count] of [
      [1, 1],
      [3, 5],
      [7, 33],
      [8, 27],
    ] as const) {
      const values = noise(rows * count, rows);
      values[0] = Number.NaN;
      const src = bed.put(values);
      const dst = bed.room(8 * count);
      const check = () => {
        kernels.pack(src, dst, rows, count, 0);
        const got = bed.floats(dst, 8 * count);
        const expected = Array.from(got, (_, i) =>
          i % 8 < rows ? values[(i % 8) * count + Math.floor(i / 8)] : Number.NaN,
        );
        expect(Array.from(got)).toEqual(expected);
        bed.checkGuards();
      };
      coldAndWarm(check, () => kernels.pack(src, dst, rows, count, 0));
    }
  });
});
