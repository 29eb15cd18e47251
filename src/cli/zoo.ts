/** `netpare zoo`: the architectures that `train` knows; with a name and `--out`, one of them with untrained weights. */
import { z } from "zod";
import { encodeModel, writeModel } from "../onnx/index.ts";
import { createRandom } from "../tensor/random.ts";
import { type Architecture, architectures, commonParams, findArchitecture } from "../zoo/index.ts";
import { architectureOptions, givenSettings } from "./_architecture-options.ts";
import { checkOutFile } from "./_model-file.ts";
import { formatFacts } from "./_table.ts";
import { defineCommand } from "./define-command.ts";

const options = z.object({
  out: z.string().optional().meta({ metavar: "FILE", description: "write the network NAME with fresh weights" }),
  classes: z.int().optional().describe("number of classes"),
  channels: z.int().optional().describe("channels of an image: 1 or 3"),
  size: z.int().optional().describe("height and width of an image in pixels"),
  ...architectureOptions,
  seed: z.int().default(1).describe("seed of the weights"),
});

export const zooCommand = defineCommand({
  name: "zoo",
  summary: "list the architectures, or write one with untrained weights",
  arguments: [["[name]", "an architecture"]],
  options,
  examples: ["zoo", "zoo resnet-20 --out resnet-20.onnx", "zoo vgg-s --size 48 --width 0.25 --out vgg-s.onnx"],
  async run({ args, options: given }) {
    const [name] = args;
    if (name === undefined) return listAll();
    const architecture = findArchitecture(name);
    const { out, seed, ...settings } = given;
    if (out === undefined) return { json: describe(architecture), text: formatArchitecture(architecture) };
    await checkOutFile(out);
    const graph = architecture.build(givenSettings(settings), createRandom(seed));
    await writeModel(out, graph);
    return {
      json: { file: out, bytes: encodeModel(graph).length, architecture: name },
      text: `wrote ${name} with untrained weights to ${out}`,
    };
  },
});

function listAll() {
  const rows = architectures.map(({ name, summary }) => [name, summary] as const);
  return { json: { architectures: architectures.map(describe) }, text: formatFacts(rows) };
}

function describe({ name, summary, paper, params }: Architecture) {
  const { properties } = z.toJSONSchema(params, { io: "input" });
  return { name, summary, paper, params: properties ?? {} };
}

function formatArchitecture({ name, summary, paper, params }: Architecture): string {
  const { properties = {} } = z.toJSONSchema(params, { io: "input" });
  const rows = Object.entries(properties).map(([key, field]): [string, string] => {
    const { description = "", default: fallback } = typeof field === "boolean" ? {} : field;
    return [`  --${key}`, `${description} (default: ${String(fallback)})`];
  });
  return `${name}: ${summary}\n${paper}\n${formatFacts(rows)}`;
}

/** Names of the parameters that data decides when a network is trained. */
export const dataSettings = Object.keys(commonParams);
