/** A stage as the `.pare` file it ships in: written beside its model, and measured as netpare's runtime runs it. */
import path from "node:path";
import { agreementOf, type Evaluation, evaluateModel } from "../engine/evaluate.ts";
import { describeCoding } from "../format/describe-coding.ts";
import { writePare } from "../format/write.ts";
import type { Graph } from "../graph/graph.ts";
import { decodeModel } from "../onnx/index.ts";
import { shippingPasses, simplify } from "../passes/index.ts";
import type { Coded } from "../report/schema.ts";
import { NetpareError } from "../tensor/error.ts";
import { accuracyOf } from "./accuracy-of.ts";
import type { Measurement } from "./measure-run.ts";
import { imageFormatOf } from "./run-data.ts";
import { digestOf, type RunFolder } from "./run-folder.ts";

const fileName = "model.pare";

/** Writes a stage's `.pare` file, unless what its graph holds cannot be written as one. */
export async function writeCoded(folder: RunFolder, stage: string, graph: Graph): Promise<void> {
  try {
    await folder.write(`${stage}/${fileName}`, writePare(simplify(graph, shippingPasses).graph));
  } catch (error) {
    if (!(error instanceof NetpareError) || error.code !== "unsupported") throw error;
  }
}

/** Measures a stage's `.pare` file on the test split; null where there is none, or the runtime does not run it. */
export async function measureCoded(
  { folder, data, reporter, signal }: Measurement,
  stage: string,
  original: Evaluation,
): Promise<Coded | null> {
  if (!folder.has(stage, fileName)) return null;
  const bytes = folder.read(stage, fileName);
  const graph = decodeModel(folder.read(stage, "graph.onnx"));
  try {
    const evaluation = await evaluateModel(graph, data.dataset.test, {
      ...imageFormatOf(graph, data.dataset),
      file: path.join(folder.directory, stage, fileName),
      onProgress: (done, total) => reporter.progress(done, total, `accuracy of ${stage}/${fileName}`),
      signal,
    });
    const { layers, ...coding } = describeCoding(bytes);
    return {
      file: `${stage}/${fileName}`,
      sha256: digestOf(bytes),
      ...coding,
      histogram: [...coding.histogram],
      layers: layers.map((layer) => ({ ...layer, shape: [...layer.shape] })),
      accuracy: accuracyOf(evaluation),
      agreement: agreementOf(original.predictions, evaluation.predictions),
    };
  } catch (error) {
    if (error instanceof NetpareError && error.code === "unsupported") return null;
    throw error;
  }
}
