import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { contactSheet, writeContactSheet } from "../../src/data/faces/contact-sheet.ts";
import { createFaces } from "../../src/data/faces/create-faces.ts";
import { createFacePainter, drawFace } from "../../src/data/faces/draw-face.ts";
import { drawActionUnits, type EXPRESSIONS } from "../../src/data/faces/expression.ts";
import { createRandom } from "../../src/tensor/random.ts";

const hash = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex").slice(0, 16);

describe("drawFace", () => {
  it("draws what it always drew for a seed", () => {
    const face = drawFace({ expression: "happiness", random: createRandom(3), size: 48, channels: 1 });
    expect(face.length).toBe(48 * 48);
    expect(hash(face)).toBe("e986d3f894e40fce");
    const big = drawFace({ expression: "surprise", random: createRandom(4), size: 64, channels: 3 });
    expect(big.length).toBe(3 * 64 * 64);
    expect(hash(big)).toBe("28e92e2bf3dcb8e1");
  });

  it("is what a reused painter paints", () => {
    const paintFace = createFacePainter({ size: 48, channels: 3 });
    const painted = new Uint8Array(7 + 3 * 48 * 48);
    paintFace("anger", createRandom(9), painted, 0);
    paintFace("fear", createRandom(5), painted, 7);
    const drawn = drawFace({ expression: "fear", random: createRandom(5), size: 48, channels: 3 });
    expect(hash(painted.subarray(7))).toBe(hash(drawn));
  });

  it("changes the face and not the scene with the expression", () => {
    const face = (expression: (typeof EXPRESSIONS)[number], seed: number) =>
      drawFace({ expression, random: createRandom(seed), size: 48, channels: 1 });
    for (let seed = 0; seed < 20; seed++) {
      const neutral = face("neutral", seed);
      const surprise = face("surprise", seed);
      expect(surprise.subarray(0, 3)).toEqual(neutral.subarray(0, 3));
      const changed = surprise.filter((byte, i) => Math.abs(byte - neutral[i]!) > 12).length;
      expect(changed).toBeGreaterThan(40);
    }
  });

  it("uses most of the range of bytes", () => {
    const { train } = createFaces({ trainSamples: 64, testSamples: 0, size: 48, channels: 1, seed: 2 });
    const sorted = Uint8Array.from(train.images).sort();
    expect(sorted[Math.floor(sorted.length * 0.02)]).toBeLessThan(60);
    expect(sorted[Math.floor(sorted.length * 0.98)]).toBeGreaterThan(200);
  });
});

describe("drawActionUnits", () => {
  const mean = (
    expression: (typeof EXPRESSIONS)[number],
    unit: "corners" | "smirk" | "browInner" | "open",
    n = 200,
  ) => {
    const random = createRandom(1);
    let sum = 0;
    for (let i = 0; i < n; i++) sum += drawActionUnits(expression, random).units[unit];
    return sum / n;
  };

  it("moves each face as its expression does", () => {
    expect(mean("happiness", "corners")).toBeCloseTo(0.775, 1);
    expect(mean("sadness", "corners")).toBeCloseTo(-0.775, 1);
    expect(mean("neutral", "corners")).toBeCloseTo(0, 1);
    expect(mean("contempt", "smirk")).toBeGreaterThan(0.7);
    expect(mean("anger", "browInner")).toBeLessThan(-0.7);
    expect(mean("surprise", "open")).toBeGreaterThan(0.6);
    expect(mean("neutral", "open")).toBe(0);
  });

  it("scales movement by intensity and draws the same numbers from the stream", () => {
    const weak = createRandom(8);
    const strong = createRandom(8);
    const half = drawActionUnits("sadness", weak, 0.5).units;
    const whole = drawActionUnits("sadness", strong, 1).units;
    expect(whole.chin).toBeCloseTo(2 * half.chin, 12);
    expect(weak.state()).toEqual(strong.state());
  });

  it("puts smirks on either side", () => {
    const random = createRandom(1);
    const sides = Array.from({ length: 50 }, () => drawActionUnits("contempt", random).side);
    expect(new Set(sides)).toEqual(new Set([-1, 1]));
  });
});

describe("createFaces", () => {
  const options = { size: 48, channels: 1, seed: 1 } as const;

  it("balances classes in every run of eight", () => {
    const { train, classes } = createFaces({ ...options, trainSamples: 24, testSamples: 0 });
    expect(classes).toEqual(["anger", "contempt", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"]);
    for (let run = 0; run < 3; run++)
      expect([...train.labels.subarray(8 * run, 8 * run + 8)].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it("gives the same first images however many follow, and others for another seed or split", () => {
    const few = createFaces({ ...options, trainSamples: 10, testSamples: 10 });
    const more = createFaces({ ...options, trainSamples: 20, testSamples: 12 });
    expect(hash(more.train.images.subarray(0, 10 * 2304))).toBe(hash(few.train.images));
    expect(hash(more.test.images.subarray(0, 10 * 2304))).toBe(hash(few.test.images));
    expect(hash(few.test.images)).not.toBe(hash(few.train.images));
    const other = createFaces({ ...options, seed: 2, trainSamples: 10, testSamples: 0 });
    expect(hash(other.train.images)).not.toBe(hash(few.train.images));
    expect(other.test.length).toBe(0);
  });

  it("refuses numbers of faces that cannot be", () => {
    for (const trainSamples of [-1, 1.5, Number.NaN, 1e9])
      expect(() => createFaces({ ...options, trainSamples, testSamples: 0 })).toThrow(/faces of 2304 bytes/);
  });

  it("reports progress to the end", () => {
    const calls: [number, number][] = [];
    createFaces({
      ...options,
      trainSamples: 300,
      testSamples: 8,
      onProgress: (done, total) => calls.push([done, total]),
    });
    expect(calls).toEqual([
      [256, 308],
      [300, 308],
      [308, 308],
    ]);
  });
});

describe("contactSheet", () => {
  it("has a row per expression and enlarges each pixel", async () => {
    const options = { size: 48, channels: 3, columns: 2, zoom: 2, seed: 1 } as const;
    const sheet = contactSheet(options);
    expect([sheet.width, sheet.height, sheet.channels]).toEqual([192, 768, 3]);
    const at = (x: number, y: number) => [...sheet.pixels.subarray((y * 192 + x) * 3, (y * 192 + x) * 3 + 3)];
    expect(at(101, 301)).toEqual(at(100, 300));
    const first = drawFace({ expression: "anger", random: createRandom(1), size: 48, channels: 3 });
    expect(at(20, 30)).toEqual([0, 1, 2].map((c) => first[c * 2304 + 15 * 48 + 10]));
    const folder = await mkdtemp(join(tmpdir(), "netpare-sheet-"));
    try {
      await writeContactSheet(join(folder, "sheet.png"), options);
      expect(await readdir(folder)).toEqual(["sheet.png"]);
      const { data } = await sharp(join(folder, "sheet.png")).raw().toBuffer({ resolveWithObject: true });
      expect(hash(data)).toBe(hash(sheet.pixels));
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
