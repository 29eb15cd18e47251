/** An ensemble answers with the average of its members' probabilities. */
import { describe, expect, it } from "vitest";
import { averageNetworks, disagreement } from "../../src/engine/ensemble.ts";
import { openSession } from "../../src/engine/session.ts";
import { decodeModel, encodeModel } from "../../src/onnx/index.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { tensor, toNumbers } from "../../src/tensor/tensor.ts";
import { findArchitecture } from "../../src/zoo/index.ts";

const member = (seed: number, size = 16) =>
  findArchitecture("resnet-8").build({ width: 2, size, classes: 4 }, createRandom(seed));

const softmax = (z: readonly number[]) => {
  const powers = z.map(Math.exp);
  const total = powers.reduce((a, b) => a + b);
  return powers.map((p) => p / total);
};

describe("an ensemble", () => {
  it("gives the logarithm of the mean of its members' probabilities, at any batch, through a file", async () => {
    const members = [member(1), member(2), member(3)];
    const images = tensor("float32", [2, 3, 16, 16]);
    const random = createRandom(9);
    for (let i = 0; i < images.data.length; i++) images.data[i] = random.normal();
    const scoresOf = async (graph: ReturnType<typeof member>) => {
      const session = await openSession(decodeModel(encodeModel(graph)));
      const [scores] = (await session.run(new Map([["image", images]]))).values();
      await session.release();
      return [0, 4].map((at) => [...toNumbers(scores!)].slice(at, at + 4));
    };
    const single = await Promise.all(members.map(scoresOf));
    const joint = await scoresOf(averageNetworks(members));
    for (const row of [0, 1])
      for (const k of [0, 1, 2, 3]) {
        const mean = single.reduce((sum, rows) => sum + softmax(rows[row]!)[k]! / 3, 0);
        expect(Math.exp(joint[row]![k]!)).toBeCloseTo(mean, 5);
      }
  });

  it("refuses members that read different images, and none at all", () => {
    expect(() => averageNetworks([member(1), member(2, 32)])).toThrow(/member 2 .* must read the same/);
    expect(() => averageNetworks([])).toThrow(/at least one/);
  });

  it("counts on how many images each two differ", () => {
    expect(
      disagreement([
        [1, 2, 3, 4],
        [1, 2, 0, 0],
        [1, 2, 3, 0],
      ]),
    ).toEqual([
      [0, 0.5, 0.25],
      [0.5, 0, 0.25],
      [0.25, 0.25, 0],
    ]);
  });
});
