import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CIFAR10_CLASSES, readCifar10 } from "../../src/data/cifar10.ts";
import { computeMoments } from "../../src/data/split.ts";
import { cifarBatch, dataFolder, hasData, temporaryFolders, tinyCifar10 } from "./_fixtures.ts";

const folderOf = temporaryFolders();

describe("readCifar10", () => {
  it("joins the batches in order and takes the label byte off", async () => {
    const data = await readCifar10(await folderOf(tinyCifar10()));
    expect(data).toMatchObject({ name: "cifar10", channels: 3, height: 32, width: 32, classes: CIFAR10_CLASSES });
    expect([...data.train.labels]).toEqual([1, 2, 3, 4, 5]);
    expect([...data.test.labels]).toEqual([9, 8]);
    expect(data.train.images.length).toBe(5 * 3072);
    expect([...data.test.images.subarray(3070, 3075)]).toEqual([254, 255, 1, 2, 3]);
  });

  it("finds the archive's own folder inside", async () => {
    const inner = await folderOf(tinyCifar10());
    const outer = await folderOf();
    await mkdir(outer, { recursive: true });
    await rename(inner, join(outer, "cifar-10-batches-bin"));
    expect((await readCifar10(outer)).test.length).toBe(2);
  });

  it("names missing, truncated and mislabelled files", async () => {
    const { "data_batch_4.bin": _, ...missing } = tinyCifar10();
    await expect(readCifar10(await folderOf(missing))).rejects.toMatchObject({
      code: "bad-data",
      message: expect.stringMatching(/data_batch_4.bin is missing; give cifar10:/),
    });
    const truncated = { ...tinyCifar10(), "data_batch_2.bin": cifarBatch([1, 2]).subarray(0, 6000) };
    await expect(readCifar10(await folderOf(truncated))).rejects.toThrow(
      /data_batch_2.bin: .*6000 bytes \(2927 left over\)/,
    );
    const empty = { ...tinyCifar10(), "test_batch.bin": new Uint8Array() };
    await expect(readCifar10(await folderOf(empty))).rejects.toThrow("found 0 bytes");
    const labelled = { ...tinyCifar10(), "data_batch_5.bin": cifarBatch([0, 3, 77]) };
    await expect(readCifar10(await folderOf(labelled))).rejects.toThrow(/data_batch_5.bin: image 2 has label 77/);
  });

  it.skipIf(!hasData("cifar10"))("has the published counts and moments (needs NETPARE_DATA)", async () => {
    const data = await readCifar10(join(dataFolder!, "cifar10"));
    expect([data.train.length, data.test.length]).toEqual([50000, 10000]);
    for (const split of [data.train, data.test]) {
      const counts = new Array(10).fill(0);
      for (const label of split.labels) counts[label]++;
      expect(counts).toEqual(new Array(10).fill(split.length / 10));
    }
    const { mean, std } = computeMoments(data.train, 3);
    for (let c = 0; c < 3; c++) {
      expect(mean[c]).toBeCloseTo(data.preprocessing.mean[c]!, 4);
      expect(std[c]).toBeCloseTo(data.preprocessing.std[c]!, 3);
    }
  });
});
