/** Networks whose scores can be told by hand: the scores are the pixels. */

import type { Split } from "../../src/data/dataset.ts";
import type { Preprocessing } from "../../src/data/preprocessing.ts";
import { int } from "../../src/graph/attributes.ts";
import type { Dim, Graph } from "../../src/graph/graph.ts";
import { TypedBuilder } from "../../src/ops/typed-builder.ts";

/** Bytes as they are. */
export const plainGrey: Preprocessing = { scale: 1, mean: [0], std: [1], channels: "grey" };

/** Images (1, 2, 3) whose six pixels are the six scores; `end` is put behind. */
export function pixelNet(batch: Dim = "N", end?: "Softmax" | "LogSoftmax"): Graph {
  const g = new TypedBuilder("pixels");
  const image = g.input("image", "float32", [batch, 1, 2, 3]);
  const scores = g.op("Flatten", [image], { axis: int(1) }, { name: "scores" });
  g.output(end === undefined ? scores : g.op(end, [scores], { axis: int(-1) }, { name: "end" }));
  return g.build();
}

/** Images (1, 2, 3) with the given rows of six pixels, and their labels. */
export function pixelSplit(rows: readonly (readonly number[])[], labels: readonly number[]): Split {
  return { images: Uint8Array.from(rows.flat()), labels: Uint16Array.from(labels), length: rows.length };
}
