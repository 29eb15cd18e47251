/** A convolution in the blocked layout computes what it computed before, whatever its geometry. */
import { describe, expect, it } from "vitest";
import { blockConvolutions, openBlockedSession } from "../../src/engine/blocked-layout.ts";
import { openSession } from "../../src/engine/session.ts";
import { int, ints } from "../../src/graph/attributes.ts";
import { encodeModel } from "../../src/onnx/index.ts";
import { TypedBuilder } from "../../src/ops/typed-builder.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { tensor, toNumbers } from "../../src/tensor/tensor.ts";

interface Case {
  readonly channels: number;
  readonly outputs: number;
  readonly kernel?: number;
  readonly stride?: number;
  readonly pads?: readonly number[];
  readonly bias?: boolean;
  readonly group?: number;
}

function convolution({ channels, outputs, kernel = 3, stride = 1, pads = [1, 1, 1, 1], bias, group = 1 }: Case) {
  const g = new TypedBuilder("conv");
  g.input("x", "float32", [3, channels, 9, 7]);
  g.input("w", "float32", [outputs, channels / group, kernel, kernel]);
  const inputs = ["x", "w"];
  if (bias) inputs.push(g.input("b", "float32", [outputs]));
  const attributes = { pads: ints([...pads]), strides: ints([stride, stride]), group: int(group) };
  g.output(g.op("Relu", [g.op("Conv", inputs, attributes)]));
  return g.build();
}

const opsOf = (graph: ReturnType<typeof convolution>) => graph.nodes.map(({ op, domain }) => `${domain}:${op}`);

describe("the blocked layout", () => {
  const cases: readonly Case[] = [
    { channels: 16, outputs: 32 },
    { channels: 64, outputs: 16, stride: 2, pads: [0, 1, 1, 0] },
    { channels: 32, outputs: 48, kernel: 5, pads: [2, 2, 2, 2], bias: true },
  ];
  it.each(cases)("computes the same: $channels to $outputs channels, kernel $kernel", async (given) => {
    const graph = convolution(given);
    const random = createRandom(4);
    const feeds = new Map(
      graph.inputs.map(({ name, shape }) => {
        const value = tensor("float32", shape as readonly number[]);
        for (let i = 0; i < value.data.length; i++) value.data[i] = random.normal();
        return [name, value];
      }),
    );
    const runs = [await openSession(graph), await openBlockedSession(encodeModel(graph), {})];
    const [plain, blocked] = await Promise.all(
      runs.map(async (session) => [...(await session.run(feeds)).values()][0]!),
    );
    const expected = toNumbers(plain!);
    const scale = Math.max(...expected);
    const found = toNumbers(blocked!);
    expect(Math.max(...expected.map((value, i) => Math.abs(value - found[i]!))) / scale).toBeLessThan(1e-5);
  });

  it("takes what its blocks fit, and nothing else", () => {
    expect(opsOf(blockConvolutions(convolution({ channels: 16, outputs: 32 }), 16))).toContain(
      "com.microsoft.nchwc:Conv",
    );
    for (const other of [
      { channels: 3, outputs: 32 },
      { channels: 16, outputs: 10 },
      { channels: 16, outputs: 16, kernel: 1, pads: [0, 0, 0, 0] },
      { channels: 32, outputs: 32, group: 2 },
    ]) {
      const graph = convolution(other);
      expect(blockConvolutions(graph, 16)).toBe(graph);
    }
  });
});
