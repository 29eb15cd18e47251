/**
 * `netpare export`: a model made ready to ship: constants, masks, codebooks and batch norms folded, training-time nodes off, dead nodes
 * gone; as `.onnx`, or as `.pare`, which holds the same values in fewer bytes.
 */
import { stat } from "node:fs/promises";
import { z } from "zod";
import { writeWhole } from "../files/write-whole.ts";
import { writePare } from "../format/write.ts";
import { writeModel } from "../onnx/index.ts";
import { shippingPasses, simplify } from "../passes/index.ts";
import { formatBytes } from "../report/format.ts";
import { checkOutFile, loadModel, outDescription } from "./_model-file.ts";
import { defineCommand } from "./define-command.ts";

const options = z.object({
  to: z.enum(["onnx", "pare"]).default("onnx").describe("format of the file"),
  out: z.string().meta(outDescription),
});

export const exportCommand = defineCommand({
  name: "export",
  summary: "write a model ready to ship: simplified, batch norms folded",
  arguments: [["<model>", "an .onnx or .pare file"]],
  options,
  examples: ["export trained.onnx --to onnx --out shipped.onnx", "export quantized.onnx --to pare --out shipped.pare"],
  async run({ args, options: { to, out } }) {
    const model = await loadModel(args[0] ?? "");
    await checkOutFile(out);
    const { graph, changes, skipped } = simplify(model.graph, shippingPasses);
    if (to === "pare") await writeWhole(out, writePare(graph));
    else await writeModel(out, graph);
    const bytes = (await stat(out)).size;
    return {
      json: { file: out, format: to, bytes, changes, skipped },
      text: [...changes, `wrote ${out}, ${formatBytes(bytes)} (was ${formatBytes(model.fileBytes)})`].join("\n"),
    };
  },
});
