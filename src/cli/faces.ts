/** `netpare faces`: a contact sheet of the built-in data set, a row per expression. */
import { z } from "zod";
import { EXPRESSIONS, writeContactSheet } from "../data/index.ts";
import { checkOutFile } from "./_model-file.ts";
import { defineCommand } from "./define-command.ts";

const options = z.object({
  out: z.string().meta({ metavar: "FILE", description: "PNG to write" }),
  size: z
    .union([z.literal(48), z.literal(64)])
    .default(48)
    .describe("height and width of a face in pixels"),
  channels: z
    .union([z.literal(1), z.literal(3)])
    .default(1)
    .describe("1 for grey, 3 for colour"),
  columns: z.int().min(1).max(64).default(12).describe("faces in a row"),
  zoom: z.int().min(1).max(16).default(2).describe("side of a pixel"),
  seed: z.int().min(0).default(1).describe("seed of the faces"),
});

export const facesCommand = defineCommand({
  name: "faces",
  summary: "draw a contact sheet of the built-in faces",
  arguments: [],
  options,
  examples: ["faces --out faces.png", "faces --out faces.png --size 64 --channels 3 --columns 16"],
  async run({ options: { out, ...sheet } }) {
    await checkOutFile(out);
    await writeContactSheet(out, sheet);
    return { json: { file: out, rows: EXPRESSIONS, ...sheet }, text: `wrote ${out}; rows: ${EXPRESSIONS.join(", ")}` };
  },
});
