/** What a network reads: its one input of images `(N, C, H, W)`. */
import type { Preprocessing } from "../data/preprocessing.ts";
import { type Dim, feeds, type Graph } from "../graph/graph.ts";
import { NetpareError } from "../tensor/error.ts";

/** A network's input of images. */
export interface ImageInput {
  readonly name: string;
  /** The batch size where the model fixes it. */
  readonly batch: number | undefined;
  /** Undefined where the model leaves it open. */
  readonly channels: number | undefined;
  readonly height: number | undefined;
  readonly width: number | undefined;
}

/**
 * The one input that takes images.
 * @throws NetpareError `bad-model` where the model has no such input, more than one input, or another layout.
 */
export function findImageInput(graph: Graph): ImageInput {
  const inputs = feeds(graph);
  const [input] = inputs;
  if (input === undefined || inputs.length > 1) {
    const names = inputs.map(({ name }) => `'${name}'`).join(", ");
    throw new NetpareError(
      "bad-model",
      `the model has ${inputs.length} inputs (${names}); one input of images is expected`,
    );
  }
  const { name, dtype, shape } = input;
  if (dtype !== "float32")
    throw new NetpareError("bad-model", `input '${name}' is of type ${dtype}; float32 images are expected`);
  if (shape !== undefined && shape.length !== 4)
    throw new NetpareError("bad-model", `input '${name}' has shape [${shape}]; images (N, C, H, W) are expected`);
  const [batch, channels, height, width] = (shape ?? []).map(fixed);
  if (isColour(width) && !isColour(channels))
    throw new NetpareError(
      "bad-model",
      `input '${name}' has shape [${shape}], which looks like (N, H, W, C); export the model with images (N, C, H, W)`,
    );
  return { name, batch, channels, height, width };
}

const fixed = (dim: Dim) => (typeof dim === "number" && dim > 0 ? dim : undefined);
const isColour = (size: number | undefined) => size === 1 || size === 3;

/**
 * The input, once it is clear that images of `stored` shape (C, H, W) fit it after `preprocessing`.
 * @throws NetpareError `bad-shape` naming both shapes where they do not fit.
 */
export function fitImages(
  graph: Graph,
  [storedChannels, height, width]: readonly [number, number, number],
  preprocessing: Preprocessing,
): ImageInput {
  const input = findImageInput(graph);
  const channels = preprocessing.channels === "grey" ? 1 : 3;
  const misfit = (wanted: number | undefined, given: number) => wanted !== undefined && wanted !== given;
  if (misfit(input.height, height) || misfit(input.width, width))
    throw new NetpareError(
      "bad-shape",
      `the model reads images of ${input.height ?? "any"}x${input.width ?? "any"} pixels and the data holds ${height}x${width}; give data of that size`,
    );
  if (misfit(input.channels, channels))
    throw new NetpareError(
      "bad-shape",
      `the model reads ${input.channels} channels and the preprocessing makes ${channels} of the data's ${storedChannels}; give --channels ${input.channels === 1 ? "grey" : "rgb"}`,
    );
  return input;
}
