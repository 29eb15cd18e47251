/**
 * What sub-graphs (the bodies of If, Loop, Scan) say about the graph around them, without decoding them: which of its values
 * they read, and which standard operators they hold; and the latter of a model's own functions. Names are unique across nested graphs, so a name that is read and defined
 * nowhere inside comes from outside.
 */
import { canonicalDomain } from "./_domain.ts";
import { attributeTypes } from "./_types.ts";
import { bodyOf, enumOf, fieldsOf, textOf } from "./_wire.ts";

/** What was found in the sub-graphs of one attribute, nested ones included. */
export interface Subgraphs {
  /** Values of the outer graph that are read. */
  readonly captures: readonly string[];
  /** Standard operators that occur. */
  readonly operators: ReadonlySet<string>;
}

interface Found {
  readonly pending: Uint8Array[];
  readonly read: Set<string>;
  readonly defined: Set<string>;
  readonly operators: Set<string>;
}

/**
 * Looks through the graphs in an AttributeProto; undefined where it holds none.
 * @throws NetpareError `bad-model` where a graph is not readable.
 */
export function readSubgraphs(attribute: Uint8Array, what: string): Subgraphs | undefined {
  const found: Found = { pending: [], read: new Set(), defined: new Set(), operators: new Set() };
  collectGraphs(attribute, found, what);
  if (found.pending.length === 0) return undefined;
  for (let graph = found.pending.pop(); graph !== undefined; graph = found.pending.pop()) readGraph(graph, found, what);
  const captures = [...found.read].filter((name) => name !== "" && !found.defined.has(name));
  return { captures, operators: found.operators };
}

/**
 * The standard operators in a FunctionProto, those of sub-graphs in it included.
 * @throws NetpareError `bad-model` where it is not readable.
 */
export function functionOperators(body: Uint8Array, what: string): ReadonlySet<string> {
  const found: Found = { pending: [], read: new Set(), defined: new Set(), operators: new Set() };
  const nodeField = 7;
  for (const field of fieldsOf(body, what))
    if (field.no === nodeField) readNode(bodyOf(body, field, what), found, what);
  for (let graph = found.pending.pop(); graph !== undefined; graph = found.pending.pop()) readGraph(graph, found, what);
  return found.operators;
}

/** Field numbers of AttributeProto: one graph, several, the kind. */
const attributeNo = { g: 6, graphs: 11, type: 20 };

function collectGraphs(attribute: Uint8Array, found: Found, what: string): void {
  const graphs: Uint8Array[] = [];
  let type = 0;
  for (const field of fieldsOf(attribute, what)) {
    if (field.no === attributeNo.type) type = enumOf(attribute, field, what);
    else if (field.no === attributeNo.g || field.no === attributeNo.graphs) graphs.push(bodyOf(attribute, field, what));
  }
  if (type === attributeTypes.graph || type === attributeTypes.graphs) found.pending.push(...graphs);
}

/** Field numbers of GraphProto. */
const graphNo = { node: 1, initializer: 5, input: 11, output: 12, sparse: 15 };
const tensorName = 8;
const valueName = 1;

function readGraph(graph: Uint8Array, found: Found, what: string): void {
  for (const field of fieldsOf(graph, what)) {
    const body = () => bodyOf(graph, field, what);
    if (field.no === graphNo.node) readNode(body(), found, what);
    else if (field.no === graphNo.initializer) addText(body(), tensorName, found.defined, what);
    else if (field.no === graphNo.input) addText(body(), valueName, found.defined, what);
    else if (field.no === graphNo.output) addText(body(), valueName, found.read, what);
    else if (field.no === graphNo.sparse) {
      const sparse = body();
      for (const part of fieldsOf(sparse, what))
        if (part.no === 1) addText(bodyOf(sparse, part, what), tensorName, found.defined, what);
    }
  }
}

function addText(message: Uint8Array, no: number, names: Set<string>, what: string): void {
  for (const field of fieldsOf(message, what)) if (field.no === no) names.add(textOf(message, field, what));
}

function readNode(node: Uint8Array, found: Found, what: string): void {
  let op = "";
  let domain = "";
  for (const field of fieldsOf(node, what)) {
    if (field.no === 1) found.read.add(textOf(node, field, what));
    else if (field.no === 2) found.defined.add(textOf(node, field, what));
    else if (field.no === 4) op = textOf(node, field, what);
    else if (field.no === 5) collectGraphs(bodyOf(node, field, what), found, what);
    else if (field.no === 7) domain = textOf(node, field, what);
  }
  if (canonicalDomain(domain) === "") found.operators.add(op);
}
