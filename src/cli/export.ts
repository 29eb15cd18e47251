/**
 * `netpare export`: a model made ready to ship: constants, masks, codebooks and batch norms folded, training-time nodes off, dead nodes
 * gone; as `.onnx`, as `.pare`, which holds the same values in fewer bytes, or as one JavaScript module that needs nothing else.
 */
import { stat } from "node:fs/promises";
import { extname } from "node:path";
import { z } from "zod";
import { makeModule } from "../bundle/make-module.ts";
import { writeWhole } from "../files/write-whole.ts";
import { writePare } from "../format/write.ts";
import type { Graph } from "../graph/graph.ts";
import { writeModel } from "../onnx/index.ts";
import { shippingPasses, simplify } from "../passes/index.ts";
import { formatBytes } from "../report/format.ts";
import { NetpareError } from "../tensor/error.ts";
import { checkOutFile, loadModel, outDescription } from "./_model-file.ts";
import { defineCommand } from "./define-command.ts";

const options = z.object({
  to: z
    .enum(["onnx", "pare", "mjs"])
    .default("onnx")
    .describe("format of the file; mjs is a JavaScript module, with its types beside it"),
  out: z.string().meta(outDescription),
});

export const exportCommand = defineCommand({
  name: "export",
  summary: "write a model ready to ship: simplified, batch norms folded",
  arguments: [["<model>", "an .onnx or .pare file"]],
  options,
  examples: [
    "export trained.onnx --to onnx --out shipped.onnx",
    "export quantized.onnx --to pare --out shipped.pare",
    "export quantized.onnx --to mjs --out network.mjs",
  ],
  async run({ args, options: { to, out } }) {
    const model = await loadModel(args[0] ?? "");
    await checkOutFile(out);
    const { graph, changes, skipped } = simplify(model.graph, shippingPasses);
    const notes = to === "mjs" ? await writeModule(out, graph) : [];
    if (to === "pare") await writeWhole(out, writePare(graph));
    else if (to === "onnx") await writeModel(out, graph);
    const bytes = (await stat(out)).size;
    const wrote = `wrote ${out}, ${formatBytes(bytes)} (was ${formatBytes(model.fileBytes)})`;
    return {
      json: { file: out, format: to, bytes, changes, skipped, notes },
      text: [...changes, wrote, ...notes].join("\n"),
    };
  },
});

/** Writes a module and its types, and says what the network's user should know. */
async function writeModule(out: string, graph: Graph): Promise<string[]> {
  if (extname(out) !== ".mjs") throw new NetpareError("bad-option", `--out ${out}: a module's name ends with .mjs`);
  const types = `${out.slice(0, -".mjs".length)}.d.mts`;
  await checkOutFile(types);
  const made = await makeModule(writePare(graph));
  await writeWhole(out, Buffer.from(made.code));
  await writeWhole(types, Buffer.from(made.types));
  const notes = [`wrote its types to ${types}`];
  if (!made.classifies)
    notes.push("it has run() and no classify(): the model says nothing of preprocessing, or reads no images");
  return notes;
}
