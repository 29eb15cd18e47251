/**
 * An architecture is one object in one file: what it is called, which paper it comes from, which parameters it takes, and how
 * it is built. It has one input `image: (N, channels, size, size)` with a dynamic batch, and one output `logits: (N, classes)`.
 */
import { z } from "zod";
import type { Graph } from "../graph/graph.ts";
import { TypedBuilder } from "../ops/typed-builder.ts";
import { NetpareError } from "../tensor/error.ts";
import type { Random } from "../tensor/random.ts";

/** An image's height and width, of at least `smallest` pixels. */
export const sizeParam = (smallest: number, usual: number) =>
  z.int().min(smallest).max(1024).default(usual).describe("height and width of an image in pixels");

/** A multiplier of all channel counts, for architectures whose paper fixes them. */
export const widthParam = z.number().min(0.01).max(4).default(1).describe("multiplier of all channel counts");

/** The share of features that dropout zeroes in training; where it stands, the architecture's file says. */
export const dropoutParam = (usual: number) =>
  z.number().min(0).max(0.95).default(usual).describe("share of features dropped in training");

/** Batch norm before every activation, for architectures whose paper has none. */
export const batchnormParam = z
  .union([z.literal(0), z.literal(1)])
  .default(0)
  .describe("1 for batch norm, which the paper has not, before every activation");

/** Parameters that every architecture takes, with the defaults of the 32x32 colour sets. */
export const commonParams = {
  classes: z.int().min(2).max(65536).default(10).describe("number of classes"),
  channels: z
    .union([z.literal(1), z.literal(3)])
    .default(3)
    .describe("channels of an image: 1 or 3"),
  size: sizeParam(8, 32),
};

/** What an architecture's body is given to write with. */
export interface Construction<P> {
  readonly g: TypedBuilder;
  readonly params: P;
  readonly random: Random;
}

/** What an architecture says of itself; `body` takes the image's name and returns the logits'. */
export interface ArchitectureSpec<P extends z.ZodObject> {
  readonly name: string;
  /** One line for lists. */
  readonly summary: string;
  /** Authors, title, year, arXiv number. */
  readonly paper: string;
  /** Each field carries `.describe(…)`. */
  readonly params: P;
  readonly body: (construction: Construction<z.output<P>>, image: string) => string;
}

/** An architecture as the zoo's list holds it. */
export interface Architecture {
  readonly name: string;
  readonly summary: string;
  readonly paper: string;
  readonly params: z.ZodObject;
  /**
   * Builds the network with freshly drawn weights; what `settings` leaves out has its default.
   * @throws NetpareError `bad-option` where a setting is unknown or out of range.
   */
  build(settings: Readonly<Record<string, unknown>>, random: Random): Graph;
}

/** Defines an architecture. */
export function defineArchitecture<P extends z.ZodObject>(spec: ArchitectureSpec<P>): Architecture {
  const { name, summary, paper, params, body } = spec;
  const strict = params.strict();
  const sizes = z.object(commonParams);
  return {
    name,
    summary,
    paper,
    params,
    build(settings, random) {
      const parsed = strict.safeParse(settings);
      if (!parsed.success) throw new NetpareError("bad-option", `${name}: ${describeIssue(parsed.error)}`);
      const { channels, size } = sizes.parse(parsed.data);
      const g = new TypedBuilder(name);
      const image = g.input("image", "float32", ["N", channels, size, size]);
      g.output(body({ g, params: params.parse(settings), random }, image));
      return g.build();
    },
  };
}

function describeIssue(error: z.ZodError): string {
  const issue = error.issues[0];
  return [issue?.path.join(".") ?? "", issue?.message ?? "invalid settings"].filter((part) => part !== "").join(": ");
}
