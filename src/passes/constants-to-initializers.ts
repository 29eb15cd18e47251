/** Constant nodes become initializers of the same name. A Constant that is itself a graph output stays. */
import { nodeLabel } from "../graph/graph.ts";
import { removeDead } from "../graph/order.ts";
import { findOp } from "../ops/registry.ts";
import { NetpareError } from "../tensor/error.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Pass, Skipped } from "./pass.ts";

export const constantsToInitializers: Pass = {
  name: "constants-to-initializers",
  apply(graph) {
    const outputs = new Set(graph.outputs.map((output) => output.name));
    const found = new Map<string, Tensor>();
    const skipped: Skipped[] = [];
    const nodes = graph.nodes.filter((node) => {
      const [output] = node.outputs;
      if (node.op !== "Constant" || node.domain !== "" || output === undefined || outputs.has(output)) return true;
      try {
        found.set(output, findOp(node)!.evaluate(node, [])[0]!);
        return false;
      } catch (error) {
        if (!(error instanceof NetpareError)) throw error;
        skipped.push({ node: nodeLabel(node), reason: error.message });
        return true;
      }
    });
    const changes = [...found.keys()].map((name) => `constant '${name}' became an initializer`);
    if (changes.length === 0) return { graph, changes, skipped };
    const initializers = new Map([...graph.initializers, ...found]);
    return { graph: removeDead({ ...graph, nodes, initializers }), changes, skipped };
  },
};
