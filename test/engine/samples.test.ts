import { describe, expect, it } from "vitest";
import { createSamples } from "../../src/engine/samples.ts";
import { TypedBuilder } from "../../src/ops/typed-builder.ts";
import { toNumbers } from "../../src/tensor/tensor.ts";
import { pixelNet, pixelSplit, plainGrey } from "./tiny-nets.ts";

/** Image i has i at pixel 0 and its label's pixel set. */
const rows = Array.from({ length: 10 }, (_, i) => Array.from({ length: 6 }, (_, k) => (k === i % 6 ? 100 + i : 0)));
const split = pixelSplit(
  rows,
  rows.map((_, i) => i % 6),
);
const format = { classes: 6, storedShape: [1, 2, 3] as const, preprocessing: plainGrey };

async function seen(options: { seed: number; limit?: number }, batch: number | "N" = "N", limit?: number) {
  const values: number[] = [];
  const sizes: number[] = [];
  const samples = createSamples(split, { ...format, batch: 4, ...options });
  await samples.run(
    pixelNet(batch),
    (outputs) => {
      const scores = outputs.get("scores")!;
      sizes.push(scores.shape[0]!);
      values.push(...toNumbers(scores).filter((v) => v > 0));
    },
    limit,
  );
  return { values, sizes };
}

describe("createSamples", () => {
  it("feeds every image once, in an order the seed fixes", async () => {
    const { values, sizes } = await seen({ seed: 1 });
    expect(sizes).toEqual([4, 4, 2]);
    expect(values.toSorted((a, b) => a - b)).toEqual([100, 101, 102, 103, 104, 105, 106, 107, 108, 109]);
    expect((await seen({ seed: 1 })).values).toEqual(values);
    expect((await seen({ seed: 2 })).values).not.toEqual(values);
  });

  it("takes no more than the limits say", async () => {
    const { values } = await seen({ seed: 1 });
    expect((await seen({ seed: 1, limit: 5 })).values).toEqual(values.slice(0, 5));
    expect((await seen({ seed: 1 }, "N", 3)).values).toEqual(values.slice(0, 3));
    expect(createSamples(split, { ...format, seed: 1, limit: 5 }).count).toBe(5);
  });

  it("leaves out what does not fill a batch that the graph fixes", async () => {
    expect((await seen({ seed: 1 }, 3)).sizes).toEqual([3, 3, 3]);
  });

  it("feeds one-hot labels to an input named targets", async () => {
    const g = new TypedBuilder("labelled");
    const image = g.input("image", "float32", ["N", 1, 2, 3]);
    const targets = g.input("targets", "float32", ["N", 6]);
    g.output(g.op("ReduceSum", [g.mul(g.op("Flatten", [image]), targets)], {}, { name: "sum" }));
    let total = 0;
    const samples = createSamples(split, { ...format, seed: 1 });
    await samples.run(g.build(), (outputs) => {
      total += toNumbers(outputs.get("sum")!)[0]!;
    });
    expect(total).toBe(1045);
  });

  it("measures accuracy", async () => {
    const samples = createSamples(split, { ...format, seed: 1 });
    expect(await samples.accuracy(pixelNet())).toBe(1);
    expect(await samples.accuracy(pixelNet(), 4)).toBe(1);
  });
});
