/** Rewrites that keep what a graph computes, and `simplify`, which runs them until nothing changes. */
import type { Graph } from "../graph/graph.ts";
import { constantsToInitializers } from "./constants-to-initializers.ts";
import { disableTraining } from "./disable-training.ts";
import { foldBatchnorm } from "./fold-batchnorm.ts";
import { foldBias } from "./fold-bias.ts";
import { foldConstants, foldWeights } from "./fold-constants.ts";
import { freezeInitializers } from "./freeze-initializers.ts";
import { type Pass, type PassResult, runPass, type Skipped } from "./pass.ts";
import { removeDeadNodes } from "./remove-dead.ts";
import { removeIdentity } from "./remove-identity.ts";
import { removeStraightThrough } from "./remove-straight-through.ts";

export { constantsToInitializers } from "./constants-to-initializers.ts";
export { disableTraining } from "./disable-training.ts";
export { foldBatchnorm } from "./fold-batchnorm.ts";
export { foldBias } from "./fold-bias.ts";
export { type FoldOptions, foldConstants, foldConstantsWith, foldWeights } from "./fold-constants.ts";
export { freezeInitializers } from "./freeze-initializers.ts";
export { type Pass, type PassResult, runPass, type Skipped } from "./pass.ts";
export { removeDeadNodes } from "./remove-dead.ts";
export { removeIdentity } from "./remove-identity.ts";
export { removeStraightThrough } from "./remove-straight-through.ts";

/** What `simplify` runs, in this order. */
export const simplifyingPasses: readonly Pass[] = [
  freezeInitializers,
  disableTraining,
  constantsToInitializers,
  foldConstants,
  removeIdentity,
  foldBatchnorm,
  foldBias,
  removeDeadNodes,
];

/**
 * What a model goes through before it ships: masks, codebooks and signs become the weights they stand for, which batch norms then scale;
 * ways around gradients go.
 */
export const shippingPasses: readonly Pass[] = [
  removeStraightThrough,
  ...simplifyingPasses.map((pass) => (pass === foldConstants ? foldWeights : pass)),
];

/** More rounds than any chain of rewrites needs. */
const maxRounds = 100;

/**
 * Runs `passes` in turn until a round changes nothing, verifying the graph after each. `skipped` is that of the last round.
 * @throws Error `internal: …` naming a pass that broke the graph, or the last change where there is no end.
 */
export function simplify(graph: Graph, passes: readonly Pass[] = simplifyingPasses): PassResult {
  const changes: string[] = [];
  let current = graph;
  for (let round = 0; round < maxRounds; round++) {
    const skipped: Skipped[] = [];
    const before = changes.length;
    for (const pass of passes) {
      const result = runPass(pass, current);
      current = result.graph;
      changes.push(...result.changes);
      skipped.push(...result.skipped);
    }
    if (changes.length === before) return { graph: current, changes, skipped };
  }
  throw new Error(`internal: the graph did not come to rest, last: ${changes.at(-1)}`);
}
