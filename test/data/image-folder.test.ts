import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { readImageFolder } from "../../src/data/image-folder.ts";
import { temporaryFolders } from "./_fixtures.ts";

const folderOf = temporaryFolders();

async function png(color: readonly number[], width = 4, height = 2): Promise<Uint8Array> {
  const channels = color.length === 1 ? 1 : color.length === 4 ? 4 : 3;
  const pixels = Uint8Array.from({ length: width * height * channels }, (_, i) => color[i % channels]!);
  return sharp(pixels, { raw: { width, height, channels } })
    .toColourspace(channels === 1 ? "b-w" : "srgb")
    .png()
    .toBuffer();
}

async function tree(files: Record<string, Uint8Array>): Promise<string> {
  const folder = await folderOf();
  for (const [path, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes);
  }
  return folder;
}

const red = () => png([250, 10, 20]);
const blue = () => png([5, 15, 240]);

describe("readImageFolder", () => {
  it("reads train and test folders as planes of the first image's size", async () => {
    const folder = await tree({
      "train/red/b.png": await red(),
      "train/red/a.png": await png([240, 11, 21], 8, 4),
      "train/blue/a.png": await blue(),
      "test/red/a.png": await red(),
      "test/blue/a.png": await blue(),
      "test/blue/.hidden": Uint8Array.from([1]),
      "test/blue/Thumbs.db": Uint8Array.from([1]),
    });
    const calls: number[] = [];
    const data = await readImageFolder(folder, { onProgress: (done, total) => calls.push(done, total) });
    expect(data).toMatchObject({ name: "images", classes: ["blue", "red"], channels: 3, height: 2, width: 4 });
    expect([...data.train.labels]).toEqual([0, 1, 1]);
    expect([...data.test.labels]).toEqual([0, 1]);
    const eight = (value: number) => new Array(8).fill(value);
    expect([...data.train.images.subarray(0, 24)]).toEqual([...eight(5), ...eight(15), ...eight(240)]);
    expect([...data.train.images.subarray(24, 48)]).toEqual([...eight(240), ...eight(11), ...eight(21)]);
    expect(data.preprocessing.mean).toEqual([0.485, 0.456, 0.406]);
    expect(calls.slice(-2)).toEqual([5, 5]);
    expect(calls.length).toBe(10);
  });

  it("splits by a seed, the same share of every class", async () => {
    const files: Record<string, Uint8Array> = {};
    for (let i = 0; i < 10; i++) files[`a/${i}.png`] = await png([10 * i]);
    for (let i = 0; i < 5; i++) files[`b/${i}.png`] = await png([10 * i + 5]);
    const folder = await tree(files);
    const data = await readImageFolder(folder);
    expect(data.channels).toBe(1);
    expect(data.preprocessing.channels).toBe("grey");
    expect([...data.test.labels]).toEqual([0, 0, 1]);
    const shades = [...data.train.images, ...data.test.images].filter((_, i) => i % 8 === 0).sort((x, y) => x - y);
    expect(shades).toEqual([0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 60, 70, 80, 90]);
    expect(await readImageFolder(folder, { seed: 0 })).toEqual(data);
    expect((await readImageFolder(folder, { seed: 1 })).test.images).not.toEqual(data.test.images);
    expect((await readImageFolder(folder, { testShare: 0.4 })).test.length).toBe(6);
  });

  it("resizes, and turns colour grey or grey into colour", async () => {
    const folder = await tree({
      "a/1.png": await red(),
      "a/2.png": await png([90]),
      "b/1.png": await blue(),
      "b/2.png": await blue(),
    });
    const grey = await readImageFolder(folder, { height: 3, width: 5, channels: 1, testShare: 0 });
    expect(grey).toMatchObject({ channels: 1, height: 3, width: 5 });
    expect(grey.train.images.length).toBe(4 * 15);
    expect(grey.train.images[0]).toBe(Math.round(0.299 * 250 + 0.587 * 10 + 0.114 * 20));
    expect(grey.train.images[15]).toBe(90);
    const rgb = await readImageFolder(folder, { width: 6, testShare: 0 });
    expect(rgb).toMatchObject({ channels: 3, height: 6, width: 6 });
    expect([...new Set(rgb.train.images.subarray(108, 216))]).toEqual([90]);
  });

  it("turns images upright and lays transparent ones on white", async () => {
    const wide = await sharp(Uint8Array.from([0, 50, 100, 150, 200, 250]), {
      raw: { width: 3, height: 2, channels: 1 },
    })
      .withMetadata({ orientation: 6 })
      .png()
      .toBuffer();
    const turned = await readImageFolder(await tree({ "a/1.png": wide, "a/2.png": wide }), {
      channels: 1,
      testShare: 0,
    });
    expect([turned.height, turned.width]).toEqual([3, 2]);
    expect([...turned.train.images.subarray(0, 6)]).toEqual([150, 0, 200, 50, 250, 100]);
    const clear = await png([9, 9, 9, 0]);
    const flat = await readImageFolder(await tree({ "a/1.png": clear, "a/2.png": clear }), { testShare: 0 });
    expect([...new Set(flat.train.images)]).toEqual([255]);
  });

  it("names what is wrong", async () => {
    const fails = async (files: Record<string, Uint8Array>, message: RegExp, empty?: string) => {
      const folder = await tree(files);
      if (empty) await mkdir(join(folder, empty), { recursive: true });
      await expect(readImageFolder(folder)).rejects.toMatchObject({
        code: "bad-data",
        message: expect.stringMatching(message),
      });
    };
    const [one, two] = [await red(), await blue()];
    await fails({}, /holds no class folders/);
    await fails({ "loose.png": one }, /holds no class folders/);
    await fails({ "a/1.png": one, "a/2.png": two }, /\/b holds no images/, "b");
    await fails({ "a/1.png": one }, /\/a holds one image/);
    await fails({ "train/a/1.png": one }, /\/test is missing beside train/);
    await fails({ "train/a/1.png": one, "test/b/1.png": one }, /class 'a' is in only one of train and test/);
    await fails(
      { "a/1.png": one, "a/2.png": Uint8Array.from([1, 2, 3]) },
      /\/a\/2\.png: cannot be decoded as an image/,
    );
    await fails({ "a/1.png": one, "a/notes.txt": new TextEncoder().encode("x") }, /notes\.txt: cannot be decoded/);
    const cut = one.subarray(0, one.length - 20);
    await fails({ "a/1.png": one, "a/2.png": cut }, /2\.png: cannot be decoded/);
    const gone = await tree({});
    await rm(gone, { recursive: true });
    await expect(readImageFolder(gone)).rejects.toThrow("missing or no folder");
    await expect(readImageFolder(await tree({ "a/1.png": one, "a/2.png": two }), { width: 0 })).rejects.toMatchObject({
      code: "bad-option",
    });
  });
});
