/**
 * Versions of ONNX's operator set. In memory standard operators have the form of opset 17.
 * Reading an older model applies, operator by operator, the changes between its version and 17; reading a later one undoes
 * those since 17. A later model with an operator that opset 17 cannot say keeps its own version: `opsets` then says so, the
 * operators that 17 does have stand in their form of 17 all the same, and writing brings them forward again.
 * Source of the changes: the ONNX operator changelog. Versions 7 to 27 are read.
 */
import { type Graph, type Node, nodeLabel, type ValueType } from "../graph/graph.ts";
import { NetpareError } from "../tensor/error.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { changesTo17 } from "./_rules-17.ts";
import { changesAfter17 } from "./_rules-later.ts";
import { type Change, createScope, type Scope } from "./_scope.ts";
import { readSubgraphs } from "./_subgraph.ts";

/** The operator set whose forms operators have in memory. */
export const graphOpset = 17;
/** The oldest and the latest operator set that is read. */
export const oldestOpset = 7;
export const latestOpset = 27;

/** Operators of opset 17, and earlier ones that are read as others. */
const operatorsOf17 = new Set(
  `Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh AveragePool BatchNormalization Bernoulli BitShift BlackmanWindow
  Cast CastLike Ceil Celu Clip Compress Concat ConcatFromSequence Constant ConstantOfShape Conv ConvInteger ConvTranspose Cos
  Cosh CumSum DFT DepthToSpace DequantizeLinear Det Div Dropout DynamicQuantizeLinear Einsum Elu Equal Erf Exp Expand EyeLike
  Flatten Floor GRU Gather GatherElements GatherND Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GreaterOrEqual
  GridSample HammingWindow HannWindow HardSigmoid HardSwish Hardmax Identity If InstanceNormalization IsInf IsNaN LRN LSTM
  LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax Loop LpNormalization LpPool MatMul MatMulInteger Max MaxPool
  MaxRoiPool MaxUnpool Mean MeanVarianceNormalization MelWeightMatrix Min Mod Mul Multinomial Neg NegativeLogLikelihoodLoss
  NonMaxSuppression NonZero Not OneHot Optional OptionalGetElement OptionalHasElement Or PRelu Pad Pow QLinearConv QLinearMatMul
  QuantizeLinear RNN RandomNormal RandomNormalLike RandomUniform RandomUniformLike Range Reciprocal ReduceL1 ReduceL2
  ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Resize
  ReverseSequence RoiAlign Round STFT Scan Scatter ScatterElements ScatterND Selu SequenceAt SequenceConstruct SequenceEmpty
  SequenceErase SequenceInsert SequenceLength SequenceMap Shape Shrink Sigmoid Sign Sin Sinh Size Slice Softmax
  SoftmaxCrossEntropyLoss Softplus Softsign SpaceToDepth Split SplitToSequence Sqrt Squeeze StringNormalizer Sub Sum Tan Tanh
  TfIdfVectorizer ThresholdedRelu Tile TopK Transpose Trilu Unique Unsqueeze Upsample Where Xor`.split(/\s+/),
);

/**
 * `graph`, read at its own opset, with its operators in the form of opset 17.
 * @param types what the file states of values
 * @param functionOperators standard operators inside of the model's own functions, which onnxruntime reads at the graph's opset
 * @param knownOperators operators the caller understands; by default all of opset 17
 * @throws NetpareError `unsupported` where the version or an operator of it is not read.
 */
export function convertToGraphOpset(
  graph: Graph,
  types: ReadonlyMap<string, Partial<ValueType>>,
  functionOperators: ReadonlySet<string>,
  knownOperators?: ReadonlySet<string>,
): Graph {
  const opset = sourceOpset(graph);
  if (opset === graphOpset) return { ...graph, opsets: new Map([...graph.opsets, ["", graphOpset]]) };
  const added = new Map<string, Tensor>();
  const scope = createScope(graph, types, added);
  const stale = [...functionOperators].find((op) => hasChanged(op, opset));
  if (stale !== undefined && opset < graphOpset)
    throw new NetpareError("unsupported", `a function of the model holds ${stale} of opset ${opset}; ${exportAgain}`);
  const isBfloat = [...types.values()].some(({ dtype }) => dtype === "bfloat16");
  let keeps = opset > graphOpset && (stale !== undefined || isBfloat);
  const nodes = graph.nodes.flatMap((node) => {
    if (node.domain !== "") return [node];
    if (opset < graphOpset) return raise(node, opset, graphOpset, changesTo17, scope);
    const lowered = isOutside(node, knownOperators) ? undefined : lower(node, opset, scope);
    keeps ||= lowered === undefined;
    return lowered ?? [node];
  });
  const opsets = new Map([...graph.opsets, ["", keeps ? opset : graphOpset]]);
  return { ...graph, nodes, opsets, initializers: new Map([...graph.initializers, ...added]) };
}

const exportAgain = `export the model again with opset ${graphOpset}`;

/** Whether an operator's form differs between `opset` and 17. */
function hasChanged(op: string, opset: number): boolean {
  const changes = opset < graphOpset ? changesTo17 : changesAfter17;
  if (opset > graphOpset && !operatorsOf17.has(op)) return true;
  const [low, high] = opset < graphOpset ? [opset, graphOpset] : [graphOpset, opset];
  return Object.hasOwn(changes, op) && changes[op]!.some(({ since }) => since > low && since <= high);
}

function sourceOpset(graph: Graph): number {
  const opset = graph.opsets.get("");
  if (opset === undefined) {
    const node = graph.nodes.find(({ domain }) => domain === "");
    if (node === undefined) return graphOpset;
    throw new NetpareError(
      "bad-model",
      `${nodeLabel(node)}: the model imports no version of ONNX's operators (opset_import)`,
    );
  }
  if (opset < oldestOpset || opset > latestOpset)
    throw new NetpareError(
      "unsupported",
      `the model uses opset ${opset}, netpare reads ${oldestOpset} to ${latestOpset}; ${exportAgain}`,
    );
  return opset;
}

/** Brings a node from the form of opset `from` to that of `to`. */
function raise(
  node: Node,
  from: number,
  to: number,
  changes: Readonly<Record<string, readonly Change[]>>,
  scope: Scope,
): Node[] {
  const change = Object.hasOwn(changes, node.op)
    ? changes[node.op]!.find(({ since }) => since > from && since <= to)
    : undefined;
  if (from < graphOpset) checkSubgraphs(node, from);
  if (change?.up === undefined) return [node];
  const nodes = change.up(node, scope);
  if (typeof nodes === "string")
    throw new NetpareError(
      "unsupported",
      `${nodeLabel(node)} of opset ${from} cannot be brought to opset ${to}: ${nodes}`,
    );
  return nodes.flatMap((next) => raise(next, change.since, to, changes, scope));
}

/** Brings a node from the form of opset `from` to that of 17; undefined where it has none. */
function lower(node: Node, from: number, scope: Scope): readonly Node[] | undefined {
  const changes = Object.hasOwn(changesAfter17, node.op) ? changesAfter17[node.op]! : [];
  let nodes: readonly Node[] = [node];
  for (const { since, down } of changes.toReversed()) {
    if (since > from || down === undefined) continue;
    const next: Node[] = [];
    for (const each of nodes) {
      const lowered = down(each, scope);
      if (typeof lowered === "string") return undefined;
      next.push(...lowered);
    }
    nodes = next;
  }
  return nodes;
}

/** Whether a node of a later opset is beyond what opset 17 can say. */
function isOutside(node: Node, knownOperators: ReadonlySet<string> | undefined): boolean {
  if (Object.values(node.attributes).some((attribute) => attribute.kind === "opaque")) return true;
  if (!operatorsOf17.has(node.op)) return true;
  return knownOperators !== undefined && !knownOperators.has(node.op) && !Object.hasOwn(changesAfter17, node.op);
}

/**
 * The graph's nodes and initializers as they are written: at opset 17 as they stand, above it in the form of that opset.
 * @throws NetpareError `unsupported` where an operator has no form in the graph's opset.
 */
export function convertFromGraphOpset(graph: Graph): Pick<Graph, "nodes" | "initializers"> {
  const opset = graph.opsets.get("") ?? graphOpset;
  if (opset < graphOpset || opset > latestOpset)
    throw new NetpareError(
      "unsupported",
      `a graph at opset ${opset} cannot be written; netpare writes ${graphOpset} to ${latestOpset}`,
    );
  if (opset === graphOpset) return graph;
  const added = new Map<string, Tensor>();
  const scope = createScope(graph, new Map(), added);
  const nodes = graph.nodes.flatMap((node) =>
    node.domain === "" ? raise(node, graphOpset, opset, changesAfter17, scope) : [node],
  );
  return { nodes, initializers: new Map([...graph.initializers, ...added]) };
}

/** Refuses a sub-graph whose nodes would have to be converted: it is carried as bytes. */
function checkSubgraphs(node: Node, opset: number): void {
  for (const [name, attribute] of Object.entries(node.attributes)) {
    if (attribute.kind !== "opaque") continue;
    for (const op of readSubgraphs(attribute.value, nodeLabel(node))?.operators ?? [])
      if (hasChanged(op, opset))
        throw new NetpareError(
          "unsupported",
          `${nodeLabel(node)}: its sub-graph '${name}' holds ${op} of opset ${opset}; ${exportAgain}`,
        );
  }
}
