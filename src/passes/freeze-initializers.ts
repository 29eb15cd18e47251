/**
 * Initializers that are also graph inputs become constants. Files of IR version 3 and before list every weight as an input,
 * which a caller could feed; that keeps weights from being folded and is hardly ever meant.
 */
import type { Pass } from "./pass.ts";

export const freezeInitializers: Pass = {
  name: "freeze-initializers",
  apply(graph) {
    const frozen = graph.inputs.filter((input) => graph.initializers.has(input.name));
    const changes = frozen.map(({ name }) => `input '${name}' has a value in the file and became a constant`);
    const inputs = graph.inputs.filter((input) => !frozen.includes(input));
    return { graph: changes.length === 0 ? graph : { ...graph, inputs }, changes, skipped: [] };
  },
};
