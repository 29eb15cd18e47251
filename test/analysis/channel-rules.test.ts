/**
 * Channel rules of data movement against what they mean: with `y = op(x)`, removing any class of slots from x and y and shrinking
 * the node must give the y of before with its own slots of the class taken out. Shapes are random, seeded.
 */
import { describe, expect, it } from "vitest";
import { type ChannelClass, findChannelGroups, removeChannels } from "../../src/analysis/index.ts";
import { type Attributes, int, ints, string, tensorAttribute } from "../../src/graph/attributes.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { evaluateGraph } from "../../src/ops/evaluate.ts";
import { TypedBuilder } from "../../src/ops/typed-builder.ts";
import { createRandom, type Random } from "../../src/tensor/random.ts";
import { indicesTo, takeAxes } from "../../src/tensor/take.ts";
import { int64s, type Tensor, tensorOf, toNumbers } from "../../src/tensor/tensor.ts";

interface Case {
  readonly op: string;
  readonly inputs: readonly Tensor[];
  readonly attributes?: Attributes;
  readonly outputs?: number;
}

const numbered = (shape: readonly number[]) => tensorOf("float32", shape, indicesTo(shape.reduce((a, b) => a * b, 1)));

/** `x -> op -> y`; only the shapes of the ys are shown, so that their slots are free. */
function build({ op, inputs, attributes = {}, outputs = 1 }: Case): { graph: Graph; ys: readonly string[] } {
  const g = new TypedBuilder("rule");
  const names = inputs.map((t, i) => g.initializer(`x${i}`, t));
  const ys = g.node(op, names, outputs, attributes, { outputs: indicesTo(outputs).map((k) => `y${k}`) });
  for (const y of ys) g.output(g.op("Shape", [y]));
  return { graph: g.build(), ys };
}

/** Checks every class alone and some together; returns how many classes there are. */
function checkRule(given: Case, random: Random): number {
  const { graph, ys } = build(given);
  const { classes } = findChannelGroups(graph);
  const before = evaluateGraph(graph, new Map(), ys);
  const picks = [...classes.map((one) => [one]), classes.filter(() => random.below(2) === 0)];
  for (const picked of picks) {
    const cut = withoutEmpty(graph, picked);
    if (cut === undefined) continue;
    const after = evaluateGraph(cut, new Map(), ys);
    for (const y of ys) {
      const expected = takeAxes(before.get(y)!, keptOf(before.get(y)!, y, picked));
      expect({ shape: after.get(y)!.shape, values: [...toNumbers(after.get(y)!)] }).toEqual({
        shape: expected.shape,
        values: [...toNumbers(expected)],
      });
    }
  }
  return classes.length;
}

function withoutEmpty(graph: Graph, picked: readonly ChannelClass[]): Graph | undefined {
  try {
    return removeChannels(graph, picked);
  } catch (error) {
    if (error instanceof Error && error.message.includes("keep at least one")) return undefined;
    throw error;
  }
}

function keptOf(t: Tensor, name: string, picked: readonly ChannelClass[]): number[][] {
  return t.shape.map((dim, axis) => {
    const gone = new Set(
      picked.flatMap(({ members }) =>
        members.filter((m) => m.value === name && m.axis === axis).flatMap(({ indices }) => indices),
      ),
    );
    return indicesTo(dim).filter((i) => !gone.has(i));
  });
}

const x = (...shape: number[]) => numbered(shape);
const cases: readonly (readonly [string, Case, number])[] = [
  ["Transpose", { op: "Transpose", inputs: [x(2, 3, 4)], attributes: { perm: ints([2, 0, 1]) } }, 9],
  ["Slice", { op: "Slice", inputs: [x(2, 5), int64s([1]), int64s([-1]), int64s([1])] }, 2 + 5],
  ["Slice with a step", { op: "Slice", inputs: [x(2, 5), int64s([0]), int64s([9]), int64s([1]), int64s([2])] }, 2],
  ["Pad", { op: "Pad", inputs: [x(2, 3), int64s([0, 2, 0, 1])] }, 2 + 3],
  [
    "Pad by reflection",
    { op: "Pad", inputs: [x(2, 3), int64s([0, 2, 0, 1])], attributes: { mode: string("reflect") } },
    2,
  ],
  ["negative Pad", { op: "Pad", inputs: [x(2, 5), int64s([0, -2, 0, 1])] }, 2],
  ["Concat", { op: "Concat", inputs: [x(2, 3), x(2, 1), x(2, 4)], attributes: { axis: int(1) } }, 2 + 3 + 4],
  ["Split", { op: "Split", inputs: [x(2, 6), int64s([1, 3, 2])], outputs: 3, attributes: { axis: int(-1) } }, 2 + 5],
  ["Split in equal parts", { op: "Split", inputs: [x(6, 2)], outputs: 2 }, 6 + 2],
  [
    "Gather of a codebook",
    { op: "Gather", inputs: [x(3, 2), tensorOf("int64", [2, 4], [0, 1, 2, 0, 1, 2, 0, 1])] },
    2 + 2 + 4,
  ],
  ["Squeeze", { op: "Squeeze", inputs: [x(1, 3, 1, 2), int64s([2])] }, 3 + 2],
  ["Unsqueeze", { op: "Unsqueeze", inputs: [x(3, 2), int64s([0, -1])] }, 3 + 2],
  ["Expand", { op: "Expand", inputs: [x(3, 1), int64s([2, 3, 4])] }, 3],
  ["Tile", { op: "Tile", inputs: [x(2, 3), int64s([2, 1])] }, 2 + 3],
  ["Flatten", { op: "Flatten", inputs: [x(2, 3, 4)] }, 2 + 3],
];

describe("channel rules of data movement", () => {
  it.each(cases)("%s", (_, given, classes) => {
    expect(checkRule(given, createRandom(1))).toBe(classes);
  });

  it("a Constant is cut in its attribute", () => {
    const g = new TypedBuilder("rule");
    const held = g.op("Constant", [], { value: tensorAttribute(numbered([3, 2])) });
    const sum = g.add(held, g.initializer("x", numbered([3, 2])));
    g.output(g.op("Shape", [sum]));
    const graph = g.build();
    const { classes } = findChannelGroups(graph);
    expect(classes).toHaveLength(5);
    const cut = removeChannels(graph, [classes[1]!]);
    expect([...toNumbers(evaluateGraph(cut, new Map(), [sum]).get(sum)!)]).toEqual([0, 2, 8, 10]);
  });

  it("Reshape between random factorizations", () => {
    const random = createRandom(3);
    const factors = (size: number, rank: number) => {
      const shape = new Array<number>(rank).fill(1);
      for (let left = size, p = 2; left > 1; )
        if (left % p === 0) {
          shape[random.below(rank)]! *= p;
          left /= p;
        } else p++;
      return shape;
    };
    let classes = 0;
    for (let round = 0; round < 150; round++) {
      const size = [24, 36, 60, 16][random.below(4)]!;
      const from = factors(size, 1 + random.below(5));
      const to = factors(size, 1 + random.below(5));
      classes += checkRule({ op: "Reshape", inputs: [numbered(from), int64s(to)] }, random);
    }
    expect(classes).toBeGreaterThan(300);
  });

  it("chains of Reshape and Transpose", () => {
    const random = createRandom(4);
    for (const groups of [2, 3]) {
      const g = new TypedBuilder("shuffle");
      const held = g.initializer("x", numbered([2, 6, 2, 2]));
      const split = g.reshape(held, [2, groups, 6 / groups, 2, 2]);
      const y = g.reshape(g.transpose(split, [0, 2, 1, 3, 4]), [2, 6, 2, 2]);
      g.output(g.op("Shape", [y]));
      const graph = g.build();
      const { classes } = findChannelGroups(graph);
      const channels = classes.filter(({ members }) => members.some((m) => m.value === y && m.axis === 1));
      expect(channels).toHaveLength(6 / groups);
      const picked = channels.filter((_, i) => i === random.below(channels.length));
      const before = evaluateGraph(graph, new Map(), [y]).get(y)!;
      const after = evaluateGraph(removeChannels(graph, picked), new Map(), [y]).get(y)!;
      expect([...toNumbers(after)]).toEqual([...toNumbers(takeAxes(before, keptOf(before, y, picked)))]);
    }
  });
});
