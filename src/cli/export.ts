/** `netpare export`: a model made ready to ship: constants and batch norms folded, training-time nodes off, dead nodes gone. */
import { stat } from "node:fs/promises";
import { z } from "zod";
import { writeModel } from "../onnx/index.ts";
import { simplify } from "../passes/index.ts";
import { formatBytes } from "../report/format.ts";
import { checkOutFile, loadModel, outDescription } from "./_model-file.ts";
import { defineCommand } from "./define-command.ts";

const options = z.object({
  to: z.enum(["onnx"]).default("onnx").describe("format of the file"),
  out: z.string().meta(outDescription),
});

export const exportCommand = defineCommand({
  name: "export",
  summary: "write a model ready to ship: simplified, batch norms folded",
  arguments: [["<model>", "an .onnx file"]],
  options,
  examples: ["export trained.onnx --to onnx --out shipped.onnx"],
  async run({ args, options: { to, out } }) {
    const model = await loadModel(args[0] ?? "");
    await checkOutFile(out);
    const { graph, changes, skipped } = simplify(model.graph);
    await writeModel(out, graph);
    const bytes = (await stat(out)).size;
    return {
      json: { file: out, format: to, bytes, changes, skipped },
      text: [...changes, `wrote ${out}, ${formatBytes(bytes)} (was ${formatBytes(model.fileBytes)})`].join("\n"),
    };
  },
});
