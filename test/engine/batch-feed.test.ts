/** Batches from the helper against batches filled on the spot. */
import { afterEach, describe, expect, it } from "vitest";
import { type BatchFeed, openBatchFeed } from "../../src/engine/batch-feed.ts";
import { createBatchSource, emptyBatch } from "../../src/engine/batch-source.ts";
import { trainingSchema } from "../../src/engine/training-options.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { pixelSplit, plainGrey } from "./tiny-nets.ts";

const random = createRandom(6);
const rows = Array.from({ length: 11 }, () => Array.from({ length: 6 }, () => random.below(256)));
const task = {
  train: pixelSplit(
    rows,
    rows.map((_, i) => i % 6),
  ),
  classes: 6,
  storedShape: [1, 2, 3] as const,
  preprocessing: plainGrey,
  options: trainingSchema.parse({ batch: 4, mixup: 0.3, augmentation: { flip: true, crop: 1, cutout: 1 } }),
  imageDims: [4, 1, 2, 3],
  noisy: true,
};

const fill = createBatchSource(task);
const texts = ({ images, targets, noise }: ReturnType<typeof emptyBatch>) =>
  [images, targets, noise!].map(({ data }) => data.join()).join("|");
function expected(t: number): string {
  const batch = emptyBatch(task);
  fill(t, batch);
  return texts(batch);
}

let feed: BatchFeed | undefined;
afterEach(() => feed?.close());

async function ready(t: number): Promise<void> {
  while (!feed!.has(t)) await new Promise((resolve) => setTimeout(resolve, 2));
}

describe("a feed with a helper", () => {
  it("gives the batches that are filled on the spot, a few steps ahead", async () => {
    feed = openBatchFeed(task, { helper: "always" });
    for (let t = 0; t < 12; t++) {
      await ready(t);
      expect(feed.has(t + 3)).toBe(false);
      expect(texts(feed.at(t))).toBe(expected(t));
      expect(feed.has(t)).toBe(false);
    }
  });

  it("does not wait for the helper, goes on with it afterwards, and gives earlier steps again", async () => {
    feed = openBatchFeed(task, { helper: "always" });
    for (let t = 0; t < 50; t++) expect(texts(feed.at(t))).toBe(expected(t));
    await ready(50);
    expect(texts(feed.at(50))).toBe(expected(50));
    expect(texts(feed.at(3))).toBe(expected(3));
    await ready(51);
    expect(texts(feed.at(51))).toBe(expected(51));
  });
});

describe("a feed without a helper", () => {
  it("fills on the spot", () => {
    feed = openBatchFeed(task, { helper: "never" });
    expect(texts(feed.at(7))).toBe(expected(7));
    expect(feed.has(8)).toBe(false);
  });
});
