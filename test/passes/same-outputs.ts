/** Compares what two graphs compute, by the reference, on seeded normal inputs. */
import type { Graph } from "../../src/graph/graph.ts";
import { feeds } from "../../src/graph/graph.ts";
import { evaluateGraph } from "../../src/ops/evaluate.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { sizeOf } from "../../src/tensor/shape.ts";
import { type Tensor, tensorOf } from "../../src/tensor/tensor.ts";
import { expectClose } from "../ops/check-op.ts";

/** Normal values for every input that must be fed; `batch` stands for dynamic dimensions. */
export function randomFeeds(graph: Graph, batch = 2, seed = 3): Map<string, Tensor> {
  const random = createRandom(seed);
  return new Map(
    feeds(graph).map(({ name, dtype, shape }) => {
      const dims = (shape ?? []).map((dim) => (typeof dim === "number" ? dim : batch));
      const values = Array.from({ length: sizeOf(dims) }, () => random.normal());
      return [name, tensorOf(dtype, dims, values)];
    }),
  );
}

/** Fails where the outputs of `after` stray from those of `before` by more than `tolerance`, relative to the largest. */
export function expectSameOutputs(before: Graph, after: Graph, tolerance = 1e-6, batch = 2): void {
  const given = randomFeeds(before, batch);
  const expected = evaluateGraph(before, given);
  const got = evaluateGraph(after, given);
  for (const { name } of before.outputs)
    expectClose(`output '${name}'`, got.get(name)!, expected.get(name)!, tolerance);
}
