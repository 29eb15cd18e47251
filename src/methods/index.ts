/** All methods: one line each. */
import { NetpareError } from "../tensor/error.ts";
import { binarizeWeights } from "./binarize-weights.ts";
import { clusterWeights } from "./cluster-weights.ts";
import type { Method } from "./define-method.ts";
import { distill } from "./distill.ts";
import { hashWeights } from "./hash-weights.ts";
import { penalizeEntropy } from "./penalize-entropy.ts";
import { pruneBlocks } from "./prune-blocks.ts";
import { pruneChannels } from "./prune-channels.ts";
import { pruneMagnitude } from "./prune-magnitude.ts";
import { quantizeInt8 } from "./quantize-int8.ts";

export * from "./define-method.ts";

/** Every method, in alphabetical order. */
export const methods: readonly Method[] = [
  binarizeWeights,
  clusterWeights,
  distill,
  hashWeights,
  penalizeEntropy,
  pruneBlocks,
  pruneChannels,
  pruneMagnitude,
  quantizeInt8,
];

/**
 * The method called `name`.
 * @throws NetpareError `bad-option` with the name that comes nearest where there is none.
 */
export function findMethod(name: string): Method {
  const found = methods.find((method) => method.name === name);
  if (found !== undefined) return found;
  const names = methods.map((method) => method.name);
  const nearest = names.toSorted((a, b) => editDistance(a, name) - editDistance(b, name))[0]!;
  const hint = editDistance(nearest, name) <= Math.max(2, name.length / 2) ? `; did you mean '${nearest}'?` : ".";
  throw new NetpareError("bad-option", `there is no method '${name}'${hint} Methods: ${names.join(", ")}`);
}

/** Insertions, deletions and replacements that make `b` of `a` (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (const [i, c] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, d] of [...b].entries())
      next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + (c === d ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
