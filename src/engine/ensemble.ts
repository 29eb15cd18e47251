/**
 * Ensembles: several networks on the same images as one network that averages their probabilities (Hansen, Salamon 1990), and
 * how far its members differ. With members that one training left at the ends of its cycles this is a snapshot ensemble (Huang
 * et al. 2017, arXiv:1704.00109). The output is `log(1/M · Σ_m softmax z_m)`, logits whose softmax is that average.
 */
import { logitsOf } from "../autodiff/losses.ts";
import { int, ints } from "../graph/attributes.ts";
import { feeds, type Graph } from "../graph/graph.ts";
import { inlineGraph } from "../graph/inline.ts";
import { TypedBuilder } from "../ops/typed-builder.ts";
import { NetpareError } from "../tensor/error.ts";
import { int64s, tensorOf } from "../tensor/tensor.ts";

/**
 * One network that answers with the average of `members`' probabilities.
 * @throws NetpareError `bad-model` where the members read different inputs or there are none.
 */
export function averageNetworks(members: readonly Graph[]): Graph {
  const [first] = members;
  const input = first && feeds(first)[0];
  if (first === undefined || input === undefined)
    throw new NetpareError("bad-model", "an ensemble needs at least one network, with an input");
  const g = new TypedBuilder(`${first.name} x ${members.length}`);
  const image = g.input(input.name, input.dtype, input.shape ?? []);
  const axes = g.initializer("members", int64s([0]));
  const stack = members.map((member, i) => {
    const [own, ...others] = feeds(member);
    if (own === undefined || others.length > 0 || String(own.shape) !== String(input.shape))
      throw new NetpareError(
        "bad-model",
        `member ${i + 1} of the ensemble reads [${own?.shape}], the first one [${input.shape}]; they must read the same`,
      );
    const { name } = logitsOf(member);
    const scored: Graph = { ...member, outputs: [{ name, dtype: "float32", shape: undefined }] };
    const [scores] = inlineGraph(g, scored, new Map([[own.name, image]]), `member${i + 1}/`);
    const probabilities = g.op("Softmax", [scores!], { axis: int(1) });
    return g.op("Unsqueeze", [probabilities, axes]);
  });
  const stacked = g.op("Concat", stack, { axis: int(0) });
  const average = g.op("ReduceMean", [stacked], { axes: ints([0]), keepdims: int(0) }, { name: "average" });
  const positive = g.op("Max", [average, g.initializer("smallest", tensorOf("float32", [], [1e-30]))]);
  g.output(g.op("Log", [positive], {}, { name: "logits" }));
  const { metadata } = first;
  return { ...g.build(), metadata };
}

/**
 * The share of images on which two members name different classes, for each pair: a symmetric matrix `(M, M)`.
 * @param predictions - for each member the class named for each image
 */
export function disagreement(predictions: readonly ArrayLike<number>[]): number[][] {
  return predictions.map((a) =>
    predictions.map((b) => {
      let different = 0;
      for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) different++;
      return different / Math.max(1, a.length);
    }),
  );
}

/** The mean of `disagreement` over all pairs; 0 of a single member. */
export function meanDisagreement(predictions: readonly ArrayLike<number>[]): number {
  const pairs = disagreement(predictions).flatMap((row, i) => row.slice(i + 1));
  return pairs.reduce((a, b) => a + b, 0) / Math.max(1, pairs.length);
}
