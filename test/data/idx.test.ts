import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { FASHION_MNIST_CLASSES, MNIST_CLASSES, readIdx, readIdxDataset } from "../../src/data/idx.ts";
import { dataFolder, hasData, idxFile, temporaryFolders, tinyMnist } from "./_fixtures.ts";

const folderOf = temporaryFolders();
const readMnist = async (files: Record<string, Uint8Array>) =>
  readIdxDataset(await folderOf(files), "mnist", MNIST_CLASSES);
const readOne = async (bytes: Uint8Array, rank: number) => readIdx(join(await folderOf({ file: bytes }), "file"), rank);

describe("readIdxDataset", () => {
  it("reads the four files", async () => {
    const data = await readMnist(tinyMnist());
    expect(data).toMatchObject({ name: "mnist", channels: 1, height: 2, width: 3 });
    expect([...data.train.images]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect([...data.train.labels]).toEqual([7, 0]);
    expect([...data.test.images]).toEqual([20, 21, 22, 23, 24, 25]);
    expect([...data.test.labels]).toEqual([9]);
    expect(data.preprocessing).toEqual({ scale: 1 / 255, mean: [0], std: [1], channels: "grey" });
    expect(FASHION_MNIST_CLASSES.length).toBe(10);
  });

  it("reads gzipped files and the spelling with a dot alike", async () => {
    const files: Record<string, Uint8Array> = {};
    for (const [name, bytes] of Object.entries(tinyMnist()))
      files[`${name.replace("-idx", ".idx")}.gz`] = gzipSync(bytes);
    expect(await readMnist(files)).toEqual(await readMnist(tinyMnist()));
  });

  it("names the missing file", async () => {
    const { "t10k-labels-idx1-ubyte": _, ...files } = tinyMnist();
    await expect(readMnist(files)).rejects.toMatchObject({
      code: "bad-data",
      message: expect.stringMatching(/t10k-labels-idx1-ubyte \(or .gz\) is missing; give mnist:/),
    });
  });

  it("refuses labels outside the classes, naming file, image and label", async () => {
    const files = { ...tinyMnist(), "train-labels-idx1-ubyte": idxFile([2], [3, 10]) };
    await expect(readMnist(files)).rejects.toThrow(/train-labels-idx1-ubyte: image 1 has label 10, labels 0 to 9/);
  });

  it("refuses counts and sizes that differ", async () => {
    const three = { ...tinyMnist(), "train-labels-idx1-ubyte": idxFile([3], [3, 1, 2]) };
    await expect(readMnist(three)).rejects.toThrow("3 labels for 2 images");
    const wide = { ...tinyMnist(), "t10k-images-idx3-ubyte": idxFile([1, 2, 4], new Uint8Array(8)) };
    await expect(readMnist(wide)).rejects.toThrow("training images are 2x3, test images 2x4");
    const none = { ...tinyMnist(), "train-images-idx3-ubyte": idxFile([0, 2, 3], []) };
    await expect(readMnist(none)).rejects.toThrow("no pixels (0x2x3)");
  });
});

describe("readIdx", () => {
  it("refuses other types, ranks and formats", async () => {
    await expect(readOne(idxFile([1], [1], 0x0d01), 1)).rejects.toThrow(
      "0x00000801 was expected (bytes, 1 axes), found 0x00000d01",
    );
    await expect(readOne(idxFile([1], [1]), 3)).rejects.toThrow("16 bytes, found 9");
    await expect(readOne(Uint8Array.from([1, 2]), 1)).rejects.toThrow("8 bytes, found 2");
  });

  it("refuses every truncation, raw and gzipped", async () => {
    const whole = idxFile([2, 2, 3], new Uint8Array(12).fill(5));
    for (let length = 0; length < whole.length; length++)
      await expect(readOne(whole.subarray(0, length), 3)).rejects.toMatchObject({ code: "bad-data" });
    const packed = gzipSync(whole);
    for (let length = 0; length < packed.length; length++)
      await expect(readOne(packed.subarray(0, length), 3)).rejects.toMatchObject({ code: "bad-data" });
    await expect(readOne(gzipSync(whole.subarray(0, 20)), 3)).rejects.toThrow("announces 28 bytes, found 20");
  });

  it("inflates no more than the header announces", async () => {
    const bomb = gzipSync(idxFile([2, 2, 3], new Uint8Array(40_000_000)));
    expect(bomb.length).toBeLessThan(50_000);
    await expect(readOne(bomb, 3)).rejects.toThrow("does not gunzip to the 28 bytes");
  });

  it("refuses sizes that cannot be held", async () => {
    await expect(readOne(idxFile([0xffffffff, 0xffff, 0xffff], []), 3)).rejects.toThrow("more than can be read");
    await expect(readOne(gzipSync(idxFile([0xffffffff], [])), 1)).rejects.toThrow("more than can be read");
  });

  it.skipIf(!hasData("mnist"))("counts MNIST's digits (needs NETPARE_DATA)", async () => {
    const data = await readIdxDataset(join(dataFolder!, "mnist"), "mnist", MNIST_CLASSES);
    expect([data.train.length, data.test.length, data.height, data.width]).toEqual([60000, 10000, 28, 28]);
    const counts = new Array(10).fill(0);
    for (const label of data.test.labels) counts[label]++;
    expect(counts).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
  });
});
