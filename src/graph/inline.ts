/** Writes a whole graph into another one under construction: a teacher beside its student, a part behind a trunk. */
import type { GraphBuilder } from "./builder.ts";
import type { Graph } from "./graph.ts";

/**
 * Appends `graph` to `g`, its inputs replaced by the values that `inputs` gives and all its other names behind `prefix`;
 * returns the names of its outputs in `g`.
 */
export function inlineGraph(
  g: GraphBuilder,
  graph: Graph,
  inputs: ReadonlyMap<string, string>,
  prefix: string,
): readonly string[] {
  const names = new Map(inputs);
  const resolve = (name: string) => {
    if (name === "") return "";
    const given = names.get(name);
    if (given === undefined) throw new Error(`internal: nothing was given for '${name}' of the inlined graph`);
    return given;
  };
  for (const [name, tensor] of graph.initializers)
    if (!names.has(name)) names.set(name, g.initializer(prefix + name, tensor));
  for (const node of graph.nodes) {
    const outputs = g.node(node.op, node.inputs.map(resolve), node.outputs.length, node.attributes, {
      name: prefix + node.name,
      domain: node.domain,
      outputs: node.outputs.map((name) => (name === "" ? "" : prefix + name)),
    });
    node.outputs.forEach((name, i) => {
      if (name !== "") names.set(name, outputs[i]!);
    });
  }
  for (const [domain, version] of graph.opsets) if (!g.opsets.has(domain)) g.opsets.set(domain, version);
  return graph.outputs.map(({ name }) => resolve(name));
}
