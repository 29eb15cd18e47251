/** The text of `docs/zoo.md`: counts beside the published ones, costs at the size of the faces, and the head of every architecture's file. */
import { readdirSync, readFileSync } from "node:fs";
import { z } from "zod";
import { analyzeCost } from "../../src/analysis/cost.ts";
import { simplify } from "../../src/passes/index.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { type Architecture, architectures, commonParams, findArchitecture } from "../../src/zoo/index.ts";
import { published } from "./published.ts";

const root = new URL("../../", import.meta.url);
const begin = "<!-- measured: begin -->";
const end = "<!-- measured: end -->";

/** How an architecture is built and trained on the faces: the rows of `bench/zoo-on-faces.json`. */
export interface OnFaces {
  readonly name: string;
  readonly settings: Readonly<Record<string, number>>;
  readonly epochs: number;
  readonly optimizer: string;
  readonly lr: number;
}

const onFacesSchema = z.array(
  z.strictObject({
    name: z.string(),
    settings: z.record(z.string(), z.number()),
    epochs: z.number().positive(),
    optimizer: z.enum(["sgd", "adam", "adamw"]),
    lr: z.number().positive(),
  }),
);

/** The rows of `bench/zoo-on-faces.json`. */
export const onFaces: readonly OnFaces[] = onFacesSchema.parse(
  JSON.parse(readFileSync(new URL("bench/zoo-on-faces.json", root), "utf8")),
);

/** What stands between the markers of a page, to be kept when the rest is made anew. */
export function measuredPart(page: string): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  return from < 0 || to < from ? notMeasured : page.slice(from + begin.length, to).trim();
}

/** What stands there before anything was measured. */
export const notMeasured = "Not measured yet: `npm run docs:zoo -- --measure` on a quiet machine.";

/** The page around the `measured` part. */
export function zooPage(measured: string): string {
  return [
    ...["# The zoo", "", introduction, ""],
    ...["## Counts", "", countsNote, "", ...countTable(), ""],
    ...["## On the faces", "", facesNote, "", ...facesTable(), ""],
    ...["## Measured", "", begin, "", measured, "", end, ""],
    ...["## One by one", "", ...families().flatMap(section), "Made by `npm run docs:zoo`.", ""],
  ].join("\n");
}

const introduction =
  "Architectures that netpare builds, trains and pares down: `netpare zoo` lists them, `netpare zoo NAME` shows an architecture's options,\n" +
  "`netpare train NAME --data DATA --out FILE` trains it at the size of the data.";

const countsNote =
  "At the settings of the papers: 32x32 or 224x224 colour images, 10 or 1000 classes, unless the settings say otherwise. Parameters are\n" +
  "trained numbers, batch norm's scale and shift among them and running statistics not; MACs are multiply-accumulates for one image.";

const facesNote =
  "Built for 48x48 grey images and 8 classes, most of them narrower, to train in minutes on two cores. Nodes are those that are left when\n" +
  "the network is exported (batch norms folded); written is what all of them write for one image, held the most of it that is alive\n" +
  "at a time. Beside MACs these make the time: many small nodes, or much memory for few MACs, run far below a core's speed.";

function countTable(): string[] {
  const rows = published.map(({ name, settings, parameters, macs, published: figure, source }) => {
    const cells = [`\`${name}\``, options(settings), grouped(parameters), grouped(macs), figure, source];
    return `| ${cells.join(" | ")} |`;
  });
  const head = "| architecture | settings | parameters | MACs | published | source |";
  return [head, "|---|---|--:|--:|---|---|", ...rows];
}

function facesTable(): string[] {
  const still = { ...createRandom(1), normal: () => 0, uniform: () => 0.5 };
  const kilobytes = (bytes: number) => `${(bytes / 1e3).toFixed(0)} kB`;
  const rows = onFaces.map(({ name, settings }) => {
    const graph = findArchitecture(name).build({ classes: 8, channels: 1, size: 48, ...settings }, still);
    const { parameters, macs } = analyzeCost(graph);
    const shipped = simplify(graph).graph;
    const { activationBytes, peakActivationBytes } = analyzeCost(shipped);
    const memory = [kilobytes(activationBytes), kilobytes(peakActivationBytes)];
    const counts = [grouped(parameters), grouped(macs), shipped.nodes.length];
    return `| ${[`\`${name}\``, options(settings), ...counts, ...memory].join(" | ")} |`;
  });
  const head = "| architecture | settings | parameters | MACs | nodes | written | held |";
  return [head, "|---|---|--:|--:|--:|--:|--:|", ...rows];
}

/** The architectures by the file they stand in, which has the name of the architecture or of its family. */
function families(): (readonly [file: string, Architecture[]])[] {
  const files = new Set(readdirSync(new URL("src/zoo/", root)));
  const found = new Map<string, Architecture[]>();
  for (const architecture of architectures) {
    const family = architecture.name.replace(/-[\d.]+k?$/, "");
    const file = [`${architecture.name}.ts`, `${family}.ts`].find((candidate) => files.has(candidate));
    if (file === undefined) throw new Error(`no file of src/zoo/ is named for ${architecture.name}`);
    found.set(file, [...(found.get(file) ?? []), architecture]);
  }
  return [...found];
}

function section([file, members]: readonly [string, Architecture[]]): string[] {
  const text = readFileSync(new URL(`src/zoo/${file}`, root), "utf8");
  const comment = /^\/\*\*([\s\S]*?)\*\//.exec(text)?.[1];
  if (comment === undefined) throw new Error(`src/zoo/${file} does not open with a comment`);
  const lines = comment.split("\n").map((line) => line.replace(/^ \* ?/, "").trimEnd());
  const first = members[0]!;
  return [
    ...[`### ${members.map(({ name }) => name).join(", ")}`, "", lines.join("\n").trim(), ""],
    ...[`Source: ${first.paper}.`, ...optionLine(first), ""],
  ];
}

function optionLine({ params }: Architecture): string[] {
  const { properties = {} } = z.toJSONSchema(params, { io: "input", unrepresentable: "any" });
  const own = Object.entries(properties).flatMap(([name, field]) =>
    name in commonParams || typeof field === "boolean"
      ? []
      : [`\`--${name}\` (${field.description}, default ${String(field.default)})`],
  );
  return own.length === 0 ? [] : [`Options: ${own.join(", ")}.`];
}

const options = (settings: Readonly<Record<string, number>>) =>
  Object.entries(settings)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");

const grouped = (count: number) => count.toLocaleString("en-US");
