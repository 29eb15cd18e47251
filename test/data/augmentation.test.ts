import { describe, expect, it } from "vitest";
import { type Augmentation, augmentationSchema, drawAugmentation, identityDraw } from "../../src/data/augmentation.ts";
import { createBatcher } from "../../src/data/batches.ts";
import { createRandom, type Random } from "../../src/tensor/random.ts";

/** A generator that hands out `values` for `uniform`, and `values[i]·n` for `below(n)`. */
function scripted(values: number[]): Random {
  const rest = [...values];
  const next = () => {
    if (rest.length === 0) throw new Error("more numbers drawn than expected");
    return rest.shift()!;
  };
  return { ...createRandom(0), uniform: next, below: (n) => Math.floor(next() * n) };
}

/** One image (1, 3, 3) of 1..9, augmented by the scripted draws. */
function augment(augmentation: Augmentation, values: number[]): number[][] {
  const image = { images: Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9]), labels: new Uint16Array(1), length: 1 };
  const preprocessing = { scale: 1, mean: [0], std: [1], channels: "grey" as const };
  const batcher = createBatcher(image, { channels: 1, height: 3, width: 3, preprocessing, augmentation });
  const out = new Float32Array(9);
  batcher.fill([0], scripted(values), out, new Int32Array(1));
  return [0, 3, 6].map((row) => [...out.subarray(row, row + 3)]);
}

const off = { flip: false, crop: 0, cutout: 0 };

describe("augmentation", () => {
  it("mirrors below one half", () => {
    const mirrored = [
      [3, 2, 1],
      [6, 5, 4],
      [9, 8, 7],
    ];
    expect(augment({ ...off, flip: true }, [0.49])).toEqual(mirrored);
    expect(augment({ ...off, flip: true }, [0.5])[0]).toEqual([1, 2, 3]);
  });

  it("shifts by (dx, dy) and fills with 0", () => {
    // below(3) - 1: 0.9 -> 1, 0.1 -> -1
    expect(augment({ ...off, crop: 1 }, [0.9, 0.1])).toEqual([
      [0, 0, 0],
      [2, 3, 0],
      [5, 6, 0],
    ]);
    // below(5) - 2: 0.0 -> -2, 0.99 -> 2
    expect(augment({ ...off, crop: 2 }, [0.0, 0.99])).toEqual([
      [0, 0, 7],
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });

  it("shifts beyond the image to nothing", () => {
    expect(augment({ ...off, crop: 4 }, [0.99, 0.5])).toEqual([
      [0, 0, 0],
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });

  it("mirrors first and shifts then", () => {
    expect(augment({ ...off, flip: true, crop: 1 }, [0, 0.9, 0.5])).toEqual([
      [2, 1, 0],
      [5, 4, 0],
      [8, 7, 0],
    ]);
  });

  it("cuts out a square about its centre, clipped to the image", () => {
    // centre (2, 0), side 2: columns 1 to 2, rows -1 to 0
    expect(augment({ ...off, cutout: 2 }, [0.9, 0.1])).toEqual([
      [1, 0, 0],
      [4, 5, 6],
      [7, 8, 9],
    ]);
    expect(augment({ ...off, cutout: 1 }, [0.4, 0.4])).toEqual([
      [1, 2, 3],
      [4, 0, 6],
      [7, 8, 9],
    ]);
  });

  it("draws nothing for what is off", () => {
    const draw = { ...identityDraw(), flip: true, dx: 3, right: 2 };
    drawAugmentation(off, scripted([]), 3, 3, draw);
    expect(draw).toMatchObject({ flip: false, dx: 0, dy: 0 });
    expect(draw.right - draw.left).toBeLessThanOrEqual(0);
  });

  it("is off by default and refuses fractions", () => {
    expect(augmentationSchema.parse({})).toEqual(off);
    expect(augmentationSchema.safeParse({ crop: 1.5 }).success).toBe(false);
    expect(augmentationSchema.safeParse({ cutout: -1 }).success).toBe(false);
  });
});
