/** `netpare inspect`: what a model consists of and what it costs, layer by layer, and what netpare does not support in it. */

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { analyzeCost, type LayerCost, type Unsupported } from "../analysis/cost.ts";
import { engineOf } from "../engine/open-model.ts";
import { feeds, type Graph, type Value } from "../graph/graph.ts";
import { encodeModel, graphOpset, readOpsets } from "../onnx/index.ts";
import { formatBytes, formatCount, formatPercent, formatShape } from "../report/format.ts";
import { loadModel, zooModel } from "./_model-file.ts";
import { formatFacts, formatTable } from "./_table.ts";
import { defineCommand } from "./define-command.ts";

export const inspectCommand = defineCommand({
  name: "inspect",
  summary: "show a model's layers, shapes, parameters, MACs and bytes",
  arguments: [["<model>", "an .onnx file, or an architecture (see netpare zoo)"]],
  options: z.object({}),
  examples: ["inspect resnet32.onnx", "inspect resnet-20 --json"],
  async run({ args }) {
    const source = await openSource(args[0] ?? "");
    const { parameters, macs, layers, unsupported } = analyzeCost(source.graph);
    const inputs = feeds(source.graph).map(describeValue);
    const outputs = source.graph.outputs.map(describeValue);
    const { file, bytes, opset } = source;
    const json = { file, bytes, opset, inputs, outputs, parameters, macs, layers, unsupported };
    return { json, text: describe(json) };
  },
});

interface Source {
  readonly file: string;
  readonly bytes: number;
  readonly opset: number;
  readonly graph: Graph;
}

/** A model file, or the zoo's network of that name as it would be written. */
async function openSource(name: string): Promise<Source> {
  const graph = existsSync(name) ? undefined : zooModel(name);
  if (graph !== undefined) return { file: name, bytes: encodeModel(graph).length, opset: graphOpset, graph };
  const model = await loadModel(name);
  // Reading an .onnx raises its operator set; what the file says is in its bytes.
  const opsets = engineOf(name) === "pare" ? model.graph.opsets : readOpsets(await readFile(name));
  const opset = opsets.get("") ?? graphOpset;
  return { file: name, bytes: model.fileBytes, opset, graph: model.graph };
}

function describeValue({ name, dtype, shape }: Value) {
  return { name, dtype, shape: shape ?? null };
}

interface Inspection extends Omit<Source, "graph"> {
  readonly inputs: readonly ReturnType<typeof describeValue>[];
  readonly outputs: readonly ReturnType<typeof describeValue>[];
  readonly parameters: number;
  readonly macs: number;
  readonly layers: readonly LayerCost[];
  readonly unsupported: readonly Unsupported[];
}

function describe({ file, bytes, opset, inputs, outputs, parameters, macs, layers, unsupported }: Inspection): string {
  const value = ({ name, dtype, shape }: Inspection["inputs"][number]) =>
    `${name}: ${dtype} ${formatShape(shape ?? ["?"])}`;
  const facts = formatFacts([
    ["file", `${file}, ${formatBytes(bytes)}, opset ${opset}`],
    ["input", inputs.map(value).join("; ")],
    ["output", outputs.map(value).join("; ")],
    ["parameters", `${formatCount(parameters)} (${parameters})`],
    ["MACs", `${formatCount(macs)} (${macs}) an image`],
  ]);
  const rows = layers.map((layer) => [
    layer.name,
    layer.op,
    formatShape(layer.shape),
    unlessZero(layer.parameters, formatCount),
    unlessZero(layer.macs, formatCount),
    unlessZero(layer.weightBytes, formatBytes),
    unlessZero(layer.sparsity, formatPercent),
    unlessZero(layer.bits, String),
  ]);
  const head = ["layer", "op", "shape", "parameters", "MACs", "bytes", "zeros", "bits"];
  const table = formatTable(head, rows, [0, 1, 2]);
  const missing = unsupported.map(({ node, op, reason }) => `not supported: ${op} '${node}': ${reason}`);
  return [facts, "", table, ...(missing.length === 0 ? [] : ["", ...missing])].join("\n");
}

const unlessZero = (value: number, format: (value: number) => string) => (value === 0 ? "" : format(value));
