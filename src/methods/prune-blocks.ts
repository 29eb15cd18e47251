/**
 * Block pruning: whole residual branches go, `y = x + f(x)` becomes `y = x`. Residual networks behave like ensembles of paths
 * and bear the loss of some (Veit, Wilber, Belongie 2016, arXiv:1605.06431); at equal cost a shallower network is faster than a
 * narrower one, because narrow layers leave a processor's lanes idle (Elkerdawy et al. 2020, arXiv:2007.05667).
 *
 * Branches go one by one, each time the one whose loss changes the answers least: the mean of `KL(p₀ ‖ p)` over sample images,
 * p₀ being the original's class probabilities. Limits: a branch is what feeds one side of an Add of two equal shapes.
 */
import { z } from "zod";
import { analyzeCost } from "../analysis/index.ts";
import { logitsOf } from "../autodiff/losses.ts";
import { GraphEdit } from "../graph/edit.ts";
import { consumers, type Graph, type Node, nodeLabel, producers } from "../graph/graph.ts";
import { isStatic } from "../ops/fact.ts";
import { inferFacts } from "../ops/infer.ts";
import { findParameters } from "../ops/parameters.ts";
import { NetpareError } from "../tensor/error.ts";
import { toNumbers } from "../tensor/tensor.ts";
import { type Application, defineMethod, type MethodContext, type Samples } from "./define-method.ts";

const params = z.object({
  blocks: z.number().int().min(0).optional().describe("how many residual branches go"),
  macs: z.number().gt(0).max(1).optional().describe("share of the MACs to keep at most"),
  parameters: z.number().gt(0).max(1).optional().describe("share of the parameters to keep at most"),
  samples: z.number().int().positive().default(256).describe("images on which the loss of a branch is judged"),
});

type Params = z.output<typeof params>;

export const pruneBlocks = defineMethod({
  name: "prune-blocks",
  summary: "removes whole residual branches, those that matter least first",
  paper:
    "Veit, Wilber, Belongie: Residual networks behave like ensembles of relatively shallow networks, 2016, arXiv:1605.06431",
  params,
  examples: ["resnet32.onnx --blocks 4 --data cifar10:DIR --out shallow.onnx"],
  requires: () => ["data"],
  async apply(graph, given, context): Promise<Application> {
    if (context.samples === undefined)
      throw new NetpareError("bad-option", "prune-blocks judges branches on images; give --data");
    const within = createBudget(graph, given);
    const reference = await logProbabilities(graph, context.samples, given.samples);
    const changes: string[] = [];
    let current = graph;
    let branches = findBranches(current);
    const total = branches.length;
    while (!within(current, changes.length)) {
      const best = await leastHarmful(current, branches, reference, given, { ...context, samples: context.samples });
      if (best === undefined)
        throw new NetpareError(
          "bad-option",
          `all ${changes.length} removable residual branches are gone and the budget is not met; ask for less`,
        );
      current = best.graph;
      changes.push(
        `branch into ${nodeLabel(best.branch.add)} removed (${best.branch.weighted} weighted layers, KL ${best.harm.toFixed(4)})`,
      );
      branches = findBranches(current);
      context.progress(total - branches.length, total, "branches");
    }
    return { graph: current, changes, skipped: [] };
  },
});

/** A residual branch: the Add it ends in, the operand that stays, and how many weighted layers go with it. */
interface Branch {
  readonly add: Node;
  readonly kept: string;
  readonly weighted: number;
}

/** Whether a graph is within what was asked for, after so many removals. */
function createBudget(graph: Graph, { blocks, macs, parameters }: Params): (graph: Graph, removed: number) => boolean {
  if ([blocks, macs, parameters].filter((value) => value !== undefined).length !== 1)
    throw new NetpareError("bad-option", "prune-blocks wants exactly one of --blocks, --macs and --parameters");
  if (blocks !== undefined) return (_, removed) => removed >= blocks;
  const cost = (g: Graph) => (macs === undefined ? analyzeCost(g).parameters : analyzeCost(g).macs);
  const limit = cost(graph) * (macs ?? parameters ?? 1);
  return (g) => cost(g) <= limit;
}

/** The branches that can go: both operands of equal shape, neither constant, and weights that nothing else needs. */
function findBranches(graph: Graph): Branch[] {
  const facts = inferFacts(graph, { batch: 1 });
  const parameters = findParameters(graph);
  const weighted = (g: Graph) =>
    new Set(g.nodes.filter((node) => node.inputs.some((input) => parameters.has(input))).map(({ name }) => name)).size;
  const before = weighted(graph);
  return graph.nodes.flatMap((add): Branch[] => {
    const [a, b] = add.inputs;
    if (add.op !== "Add" || add.domain !== "" || a === undefined || b === undefined) return [];
    const shapes = [a, b].map((name) => facts.get(name));
    if (!shapes.every((fact) => fact !== undefined && fact.constant === undefined && isStatic(fact.shape))) return [];
    if (String(shapes[0]?.shape) !== String(shapes[1]?.shape)) return [];
    const options = [a, b].map((kept) => ({ add, kept, weighted: before - weighted(withoutBranch(graph, add, kept)) }));
    // The side with fewer layers is the shortcut; it stays.
    const branch = options[0]!.weighted >= options[1]!.weighted ? options[0]! : options[1]!;
    return branch.weighted > 0 ? [branch] : [];
  });
}

/** The graph in which readers of `add` read `kept`; a Relu of a Relu, which may follow, is one. */
function withoutBranch(graph: Graph, add: Node, kept: string): Graph {
  const edit = new GraphEdit(graph);
  edit.rename(add.outputs[0]!, kept);
  edit.replace(add);
  const readers = consumers(graph).get(add.outputs[0]!) ?? [];
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  if (producers(graph).get(kept)?.op === "Relu")
    for (const relu of readers)
      if (relu.op === "Relu" && !outputs.has(relu.outputs[0]!)) {
        edit.rename(relu.outputs[0]!, kept);
        edit.replace(relu);
      }
  return edit.apply();
}

async function leastHarmful(
  graph: Graph,
  branches: readonly Branch[],
  reference: readonly Float64Array[],
  given: Params,
  context: MethodContext & { readonly samples: Samples },
) {
  let best: { readonly branch: Branch; readonly graph: Graph; readonly harm: number } | undefined;
  for (const [i, branch] of branches.entries()) {
    const candidate = withoutBranch(graph, branch.add, branch.kept);
    const answers = await logProbabilities(candidate, context.samples, given.samples);
    const harm = meanDivergence(reference, answers);
    if (best === undefined || harm < best.harm) best = { branch, graph: candidate, harm };
    context.progress(i + 1, branches.length, "judging branches");
  }
  return best;
}

/** `log p` of every sample image, a row `(classes)` each. */
async function logProbabilities(graph: Graph, samples: Samples, limit: number): Promise<Float64Array[]> {
  const rows: Float64Array[] = [];
  const form = logitsOf(graph).output;
  const name = graph.outputs[0]!.name;
  await samples.run(
    graph,
    (outputs) => {
      const scores = toNumbers(outputs.get(name)!);
      for (let at = 0; at < scores.length; at += samples.classes) {
        const row = scores.slice(at, at + samples.classes);
        rows.push(form === "probabilities" ? row.map((p) => Math.log(Math.max(p, 1e-30))) : logSoftmax(row));
      }
    },
    limit,
  );
  return rows;
}

function logSoftmax(row: Float64Array): Float64Array {
  const largest = Math.max(...row);
  const total = Math.log(row.reduce((sum, z) => sum + Math.exp(z - largest), 0)) + largest;
  return row.map((z) => z - total);
}

/** Mean of `Σ p₀ (log p₀ - log p)` over rows. */
function meanDivergence(reference: readonly Float64Array[], answers: readonly Float64Array[]): number {
  const rows = reference.map((row, i) =>
    row.reduce((sum, logP, k) => sum + Math.exp(logP) * (logP - answers[i]![k]!), 0),
  );
  return rows.reduce((a, b) => a + b, 0) / rows.length;
}
