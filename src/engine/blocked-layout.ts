/**
 * Training steps in the layout that onnxruntime's fastest kernels want. onnxruntime lays images out in blocks of B channels,
 * `(N, C/B, H, W, B)`, for convolutions whose weights are constants; in a training step they are inputs. Here such a convolution
 * becomes what onnxruntime itself would make of it, the gradient of a weight what it makes of a first layer, and what stands
 * between convolutions stays in blocks. B is the machine's: 16 with AVX-512, 8 with AVX2, none on some. A convolution is 1.1 to
 * 1.5 times faster, a weight's gradient 1.1 to 1.4 times (`bench/train.mjs`).
 */
import type { Graph } from "../graph/graph.ts";
import { decodeModel, encodeModel } from "../onnx/index.ts";
import { tensorOf } from "../tensor/tensor.ts";
import { readsTaps, takeConvolution, takeSampleSum } from "./_blocked-convolution.ts";
import { BlockedElements } from "./_blocked-elements.ts";
import { BlockedGraph, blocksDomain } from "./_blocked-graph.ts";
import { openSession, type Session, type SessionOptions } from "./session.ts";

let machineBlock: Promise<number> | undefined;

/** Loads the bytes of a model whose convolutions read their weights as inputs; other models run as they are. */
export async function openBlockedSession(
  model: Uint8Array,
  options: SessionOptions,
  scope: BlockedScope = "all",
): Promise<Session> {
  machineBlock ??= probeBlock();
  const block = await machineBlock;
  return openSession(block > 1 ? encodeModel(blockConvolutions(decodeModel(model), block, scope)) : model, options);
}

/** What is put into blocks: convolutions, or what stands between them as well, which takes sums in another order. */
export type BlockedScope = "convolutions" | "all";

/** The graph with every convolution that `block` fits in blocks. */
export function blockConvolutions(graph: Graph, block: number, scope: BlockedScope = "all"): Graph {
  const g = new BlockedGraph(graph, block);
  const elements = scope === "all" ? new BlockedElements(g) : undefined;
  for (const node of graph.nodes)
    if (!readsTaps(g, node)) elements?.take(node);
    else if (!takeConvolution(g, node, elements?.wants(node.outputs[0]!) ?? false)) takeSampleSum(g, node);
  return g.apply();
}

/** The machine's block: how far apart the reordering of `(1, 32, 1, 2)` puts a channel's two pixels; 1 where it knows none. */
async function probeBlock(): Promise<number> {
  const node = {
    name: "probe",
    op: "ReorderInput",
    domain: blocksDomain,
    inputs: ["x"],
    outputs: ["y"],
    attributes: {},
  };
  const value = (name: string) => ({ name, dtype: "float32" as const, shape: [1, 32, 1, 2] });
  const graph: Graph = {
    name: "probe",
    inputs: [value("x")],
    outputs: [value("y")],
    nodes: [node],
    initializers: new Map(),
    metadata: new Map(),
    opsets: new Map([
      ["", 17],
      [blocksDomain, 1],
    ]),
  };
  try {
    const session = await openSession(graph);
    const pixels = tensorOf(
      "float32",
      [1, 32, 1, 2],
      Float64Array.from({ length: 64 }, (_, i) => i),
    );
    const y = (await session.run(new Map([["x", pixels]]))).get("y")!;
    await session.release();
    return [...(y.data as Float32Array)].indexOf(1);
  } catch {
    return 1;
  }
}
