import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openDataset } from "../../src/data/index.ts";
import { temporaryFolders, tinyCifar10, tinyMnist } from "./_fixtures.ts";

const folderOf = temporaryFolders();

describe("openDataset", () => {
  it("draws faces as told", async () => {
    const data = await openDataset("faces:size=64,channels=3,train=9,test=3,seed=7");
    expect(data).toMatchObject({ name: "faces", channels: 3, height: 64, width: 64 });
    expect([data.train.length, data.test.length, data.train.images.length]).toEqual([9, 3, 9 * 3 * 64 * 64]);
    expect(data.preprocessing).toEqual({ scale: 1 / 255, mean: [0.5], std: [0.5], channels: "rgb" });
    const again = await openDataset("faces:train=9,test=3");
    expect(again).toMatchObject({ channels: 1, height: 48, width: 48 });
    expect(again.preprocessing.channels).toBe("grey");
  });

  it("opens folders, colons in their names included", async () => {
    const mnist = await folderOf(tinyMnist());
    expect((await openDataset(`mnist:${mnist}`)).classes[9]).toBe("9");
    const fashion = await openDataset(`fashion-mnist:${mnist}`);
    expect([fashion.name, fashion.classes[9]]).toEqual(["fashion-mnist", "ankle boot"]);
    expect((await openDataset(`cifar10:${await folderOf(tinyCifar10())}`)).name).toBe("cifar10");
    await expect(openDataset(`mnist:${join(mnist, "a:b,c=d")}`)).rejects.toThrow("a:b,c=d is missing");
  });

  it("opens one split alone, the same as in the whole", async () => {
    const cifar10 = `cifar10:${await folderOf(tinyCifar10())}`;
    for (const spec of ["faces:train=9,test=3", cifar10]) {
      const whole = await openDataset(spec);
      const test = await openDataset(spec, { only: "test" });
      expect(test.train.length).toBe(0);
      expect(test.test).toEqual(whole.test);
      const train = await openDataset(spec, { only: "train" });
      expect(train.test.length).toBe(0);
      expect(train.train).toEqual(whole.train);
    }
  });

  it("refuses other spellings", async () => {
    const refused = (spec: string) => expect(openDataset(spec)).rejects;
    await refused("imagenet:x").toMatchObject({
      code: "bad-option",
      message: expect.stringContaining("names no data set"),
    });
    await refused("mnist").toThrow("mnist needs a folder: write mnist:DIR");
    await refused("images:").toThrow("images needs a folder");
    await refused("faces:size=50").toThrow("size");
    await refused("faces:train=-1").toThrow("train");
    await refused("faces:train=1.5").toThrow("train");
    await refused("faces:colour=3").toThrow("colour");
    await refused("faces:size").toThrow("KEY=VALUE");
    await refused("faces:size=48,size=64").toThrow("each key once");
    await refused("cifar10:/no/such/folder").toMatchObject({
      code: "bad-data",
      message: "/no/such/folder is missing or no folder; write cifar10:DIR with the folder of its files",
    });
  });
});
