import { expect, it } from "vitest";
import { orthogonalize } from "../../src/autodiff/_orthogonalize.ts";
import { appendOptimizer } from "../../src/autodiff/optimizers.ts";
import { evaluateGraph } from "../../src/ops/evaluate.ts";
import { TypedBuilder } from "../../src/ops/typed-builder.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { tensorOf, toNumbers } from "../../src/tensor/tensor.ts";

function orthogonal(x: ArrayLike<number>, rows: number, columns: number): Float64Array {
  const g = new TypedBuilder("orthogonal");
  g.output(orthogonalize(g, g.input("x", "float32", [rows, columns])));
  const graph = g.build();
  const feeds = new Map([["x", tensorOf("float32", [rows, columns], x)]]);
  return toNumbers(evaluateGraph(graph, feeds).get(graph.outputs[0]!.name)!);
}

/** `a · bᵀ` of matrices `(rows, columns)`. */
const products = (a: ArrayLike<number>, b: ArrayLike<number>, rows: number, columns: number) =>
  Array.from({ length: rows }, (_, i) =>
    Array.from({ length: rows }, (_, j) => {
      let sum = 0;
      for (let k = 0; k < columns; k++) sum += a[i * columns + k]! * b[j * columns + k]!;
      return sum;
    }),
  );

it.each([
  [5, 20],
  [20, 5],
  [1, 7],
])("keeps a matrix of %i by %i's directions and makes its singular values about 1", (rows, columns) => {
  const random = createRandom(4);
  const wide = rows <= columns;
  const x = Float64Array.from({ length: rows * columns }, () => random.normal());
  const flip = (m: Float64Array) => (wide ? m : m.map((_, at) => m[(at % rows) * columns + Math.floor(at / rows)]!));
  const y = flip(orthogonal(x, rows, columns));
  const [small, large] = wide ? [rows, columns] : [columns, rows];
  for (let trial = 0; trial < 50; trial++) {
    const direction = Float64Array.from({ length: small }, () => random.normal());
    const along = Float64Array.from({ length: large }, (_, k) =>
      direction.reduce((sum, d, i) => sum + d * y[i * large + k]!, 0),
    );
    const stretch = Math.hypot(...along) / Math.hypot(...direction);
    expect(stretch).toBeGreaterThan(0.65);
    expect(stretch).toBeLessThan(1.25);
  }
  // X·Yᵀ is symmetric and positive where both have the same singular vectors.
  const overlap = products(flip(x), y, small, large);
  for (const [i, row] of overlap.entries()) {
    expect(row[i]).toBeGreaterThan(0);
    for (const [j, value] of row.entries()) expect(value).toBeCloseTo(overlap[j]![i]!, 4);
  }
});

it("leaves zeros zero", () => {
  expect([...orthogonal(new Float64Array(6), 2, 3)]).toEqual([0, 0, 0, 0, 0, 0]);
});

it("muon moves kernels by orthogonalized velocities and decays them beside, and others as AdamW does", () => {
  const g = new TypedBuilder("update");
  const shapes = new Map([
    ["conv", [2, 1, 1, 3]],
    ["dense", [2, 3]],
  ]);
  const first = [0.5, -1.5, 2, 0.25, 1, -0.5];
  const slope = [0.1, -0.2, 0.3, 0.4, -0.3, 0.1];
  const initial = new Map([...shapes].map(([name, shape]) => [name, tensorOf("float32", shape, first)]));
  g.input("lr", "float32", []);
  const gradients = new Map([...shapes].map(([name, shape]) => [g.input(name, "float32", shape), `${name}/g`]));
  for (const [name, shape] of shapes) g.input(`${name}/g`, "float32", shape);
  const options = { momentum: 0.9, nesterov: true, weightDecay: 0.01 } as const;
  const states = appendOptimizer(g, "lr", gradients, initial, { ...options, optimizer: "muon" });
  for (const { next } of states.values()) g.output(next);
  const feeds = new Map([...states].map(([name, state]) => [name, state.initial]));
  for (const [name, shape] of shapes) feeds.set(`${name}/g`, tensorOf("float32", shape, slope));
  const outputs = evaluateGraph(g.build(), feeds.set("lr", tensorOf("float32", [], [0.1])));
  const next = (name: string) => [...toNumbers(outputs.get(states.get(name)!.next)!)];
  const direction = orthogonal(slope, 2, 3);
  next("conv").forEach((value, i) => {
    const moved = 0.2 * Math.sqrt(3) * direction[i]! + 0.01 * first[i]!;
    expect(value).toBeCloseTo(first[i]! - 0.1 * moved, 5);
  });
  next("dense").forEach((value, i) => {
    expect(value).toBeCloseTo(first[i]! - 0.1 * (Math.sign(slope[i]!) + 0.01 * first[i]!), 4);
  });
  expect([...states.keys()]).toContain("conv/velocity");
});
