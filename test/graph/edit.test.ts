import { describe, expect, it } from "vitest";
import { GraphEdit } from "../../src/graph/edit.ts";
import type { Graph, Node } from "../../src/graph/graph.ts";
import { TypedBuilder } from "../../src/ops/typed-builder.ts";
import { scalar, tensorOf } from "../../src/tensor/tensor.ts";

/** x -> Relu a -> Neg b -> Abs c (output). */
function chain(): { graph: Graph; nodes: readonly [Node, Node, Node] } {
  const g = new TypedBuilder("chain");
  g.input("x", "float32", ["N", 3]);
  const a = g.op("Relu", ["x"], {}, { outputs: ["a"] });
  const b = g.op("Neg", [a], {}, { outputs: ["b"] });
  g.output(g.op("Abs", [b], {}, { outputs: ["c"] }));
  const graph = g.build();
  return { graph, nodes: graph.nodes as unknown as readonly [Node, Node, Node] };
}

const wiring = (graph: Graph) => graph.nodes.map((node) => `${node.op}(${node.inputs}) ${node.outputs}`);
const made = (op: string, inputs: readonly string[], outputs: readonly string[]) => ({
  op,
  domain: "",
  inputs,
  outputs,
  attributes: {},
});

describe("GraphEdit", () => {
  it("replaces a node in its place", () => {
    const { graph, nodes } = chain();
    const edit = new GraphEdit(graph);
    edit.replace(nodes[1], { ...nodes[1], op: "Exp" });
    expect(wiring(edit.apply())).toEqual(["Relu(x) a", "Exp(a) b", "Abs(b) c"]);
    expect(edit.current(nodes[1])?.op).toBe("Exp");
  });

  it("removes a node when readers are sent past it", () => {
    const { graph, nodes } = chain();
    const edit = new GraphEdit(graph);
    edit.replace(nodes[1]);
    edit.rename("b", "a");
    expect(wiring(edit.apply())).toEqual(["Relu(x) a", "Abs(a) c"]);
    expect(edit.current(nodes[1])).toBeUndefined();
  });

  it("refuses a removal that leaves readers without their value", () => {
    const { graph, nodes } = chain();
    const edit = new GraphEdit(graph);
    edit.replace(nodes[1]);
    expect(() => edit.apply()).toThrow("reads 'b', which nothing before it writes");
  });

  it("follows a chain of renames", () => {
    const { graph, nodes } = chain();
    const edit = new GraphEdit(graph);
    edit.replace(nodes[0]);
    edit.replace(nodes[1]);
    edit.rename("b", "a");
    edit.rename("a", "x");
    expect(wiring(edit.apply())).toEqual(["Abs(x) c"]);
  });

  it("refuses a circle of renames", () => {
    const edit = new GraphEdit(chain().graph);
    edit.rename("a", "b");
    expect(() => edit.rename("b", "a")).toThrow("circle");
  });

  it("puts a node between a value and its readers", () => {
    const edit = new GraphEdit(chain().graph);
    edit.add(made("Exp", ["a"], ["a2"]));
    edit.rename("a", "a2");
    expect(wiring(edit.apply())).toEqual(["Relu(x) a", "Exp(a) a2", "Neg(a2) b", "Abs(b) c"]);
  });

  it("puts a node behind an output, which keeps its name", () => {
    const edit = new GraphEdit(chain().graph);
    edit.add(made("Exp", ["c"], ["c2"]));
    edit.rename("c", "c2");
    expect(wiring(edit.apply())).toEqual(["Relu(x) a", "Neg(a) b", "Abs(b) c_before", "Exp(c_before) c"]);
  });

  it("gives a removed output's name to the writer of what it showed", () => {
    const { graph, nodes } = chain();
    const edit = new GraphEdit(graph);
    edit.replace(nodes[2]);
    edit.rename("c", "b");
    expect(wiring(edit.apply())).toEqual(["Relu(x) a", "Neg(a) c"]);
  });

  it("copies where an output comes to show a graph input or another output", () => {
    const { graph, nodes } = chain();
    const twoOutputs = { ...graph, outputs: [...graph.outputs, { ...graph.outputs[0]!, name: "b" }] };
    const edit = new GraphEdit(twoOutputs);
    edit.replace(nodes[2]);
    edit.rename("c", "b");
    expect(wiring(edit.apply())).toEqual(["Relu(x) a", "Neg(a) b", "Identity(b) c"]);
    const toInput = new GraphEdit(graph);
    toInput.rename("c", "x");
    expect(wiring(toInput.apply())).toEqual(["Identity(x) c"]);
  });

  it("two outputs that come to show one value: one takes the name, the other copies it", () => {
    const { graph, nodes } = chain();
    const twoOutputs = { ...graph, outputs: [...graph.outputs, { ...graph.outputs[0]!, name: "b" }] };
    const edit = new GraphEdit(twoOutputs);
    edit.replace(nodes[1]);
    edit.replace(nodes[2]);
    edit.rename("c", "a");
    edit.rename("b", "a");
    expect(wiring(edit.apply())).toEqual(["Relu(x) c", "Identity(c) b"]);
  });

  it("sorts added nodes, drops what is dead, and names without clashes", () => {
    const edit = new GraphEdit(chain().graph);
    const half = edit.addInitializer("a", scalar(0.5));
    edit.addInitializer("unused", scalar(1));
    expect(half).toBe("a_1");
    edit.add(made("Mul", ["exp", half], ["scaled"]));
    edit.add(made("Exp", ["x"], ["exp"]));
    edit.rename("a", "scaled");
    const graph = edit.apply();
    expect(wiring(graph)).toEqual(["Exp(x) exp", "Mul(exp,a_1) scaled", "Neg(scaled) b", "Abs(b) c"]);
    expect([...graph.initializers.keys()]).toEqual(["a_1"]);
  });

  it("overwrites an initializer", () => {
    const g = new TypedBuilder("one");
    const w = g.initializer("w", tensorOf("float32", [1], [1]));
    g.output(g.op("Relu", [w]));
    const edit = new GraphEdit(g.build());
    edit.setInitializer("w", tensorOf("float32", [1], [2]));
    expect([...edit.apply().initializers.get("w")!.data]).toEqual([2]);
  });

  it("names the node of a cycle", () => {
    const { graph, nodes } = chain();
    const edit = new GraphEdit(graph);
    edit.replace(nodes[0], { ...nodes[0], inputs: ["b"] });
    expect(() => edit.apply()).toThrow("depends on itself");
  });
});
