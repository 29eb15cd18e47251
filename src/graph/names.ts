/** Hands out value and node names that are not taken yet. */
import type { Graph } from "./graph.ts";

export interface Names {
  /** Reserves `hint`, or `hint` with the first free number behind it. */
  fresh(hint: string): string;
  /** The same among node names. */
  freshNode(hint: string): string;
  /** Reserves exactly `name`. */
  take(name: string): void;
}

/** The names that `graph` leaves free. */
export function createNames(graph?: Graph): Names {
  const values = new Set<string>([""]);
  const nodes = new Set<string>();
  for (const { name } of graph?.inputs ?? []) values.add(name);
  for (const name of graph?.initializers.keys() ?? []) values.add(name);
  for (const node of graph?.nodes ?? []) {
    nodes.add(node.name);
    for (const output of node.outputs) values.add(output);
  }
  const counters = new Map<string, number>();
  const pick = (taken: Set<string>, hint: string) => {
    let name = hint;
    let n = counters.get(hint) ?? 0;
    while (taken.has(name)) name = `${hint}_${++n}`;
    counters.set(hint, n);
    taken.add(name);
    return name;
  };
  return {
    fresh: (hint) => pick(values, hint),
    freshNode: (hint) => pick(nodes, hint),
    take(name) {
      if (values.has(name)) throw new Error(`internal: the name '${name}' is taken`);
      values.add(name);
    },
  };
}
