import { float, int } from "../../src/graph/attributes.ts";
import { checkOps } from "./check-op.ts";

/** Variances must be positive; nothing else minds. */
const positive = (v: number) => Math.abs(v) + 0.3;

checkOps("normalization", [
  { op: "BatchNormalization", name: "inference", inputs: [[2, 3, 4, 5], [3], [3], [3], [3]], draw: positive },
  {
    op: "BatchNormalization",
    name: "inference on vectors",
    inputs: [[4, 3], [3], [3], [3], [3]],
    attributes: { epsilon: float(1e-2) },
    draw: positive,
  },
  {
    op: "BatchNormalization",
    name: "training",
    runtime: /more than one output/,
    outputs: 3,
    inputs: [[3, 2, 4, 5], [2], [2], [2], [2]],
    attributes: { training_mode: int(1), momentum: float(0.7) },
    draw: positive,
  },
  {
    op: "BatchNormalization",
    name: "training, momentum 0",
    runtime: /more than one output/,
    outputs: 3,
    inputs: [[3, 2, 4, 5], [2], [2], [2], [2]],
    attributes: { training_mode: int(1), momentum: float(0) },
    draw: positive,
  },
  {
    op: "BatchNormalization",
    name: "training, batch 1",
    runtime: /more than one output/,
    outputs: 3,
    inputs: [[1, 3, 5, 4], [3], [3], [3], [3]],
    attributes: { training_mode: int(1) },
    draw: positive,
  },

  {
    op: "LRN",
    name: "odd window",
    inputs: [[2, 7, 3, 4]],
    attributes: { size: int(5), alpha: float(0.9), beta: float(0.6), bias: float(1.5) },
  },
  {
    op: "LRN",
    name: "even window",
    inputs: [[1, 6, 4, 3]],
    attributes: { size: int(4), alpha: float(0.9) },
    // onnxruntime takes odd sizes only.
    onnxruntime: false,
  },
  {
    op: "LRN",
    name: "window wider than the channels",
    inputs: [[2, 3, 2, 2]],
    attributes: { size: int(9), alpha: float(0.9) },
  },
  { op: "LRN", name: "defaults", inputs: [[2, 4, 3, 3]], attributes: { size: int(3) } },
]);
