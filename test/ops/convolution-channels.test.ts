import { int, ints, string } from "../../src/graph/attributes.ts";
import { int64s, tensorOf } from "../../src/tensor/tensor.ts";
import { checkChannels } from "./check-channels.ts";

const pads = ints([1, 1, 1, 1]);

checkChannels("channel rules", [
  { op: "Conv", name: "dense", inputs: [[2, 3, 4, 5], [4, 3, 3, 3], [4]], attributes: { pads }, classes: 7 },
  {
    op: "Conv",
    name: "depthwise",
    inputs: [[2, 3, 4, 5], [3, 1, 3, 3], [3]],
    attributes: { pads, group: int(3) },
    classes: 3,
  },
  {
    op: "Conv",
    name: "depthwise, two outputs a channel",
    inputs: [[1, 3, 4, 4], [6, 1, 3, 3], [6]],
    attributes: { group: int(3) },
    classes: 3,
  },
  {
    op: "Conv",
    name: "grouped",
    inputs: [[2, 6, 4, 4], [4, 3, 3, 3], [4]],
    attributes: { pads, group: int(2) },
    classes: 5,
  },
  {
    op: "ConvTranspose",
    name: "dense",
    inputs: [[2, 3, 3, 4], [3, 4, 3, 3], [4]],
    attributes: { strides: ints([2, 2]) },
    classes: 7,
  },
  {
    op: "ConvTranspose",
    name: "depthwise, two outputs a channel",
    inputs: [[1, 3, 3, 4], [3, 2, 2, 2], [6]],
    attributes: { group: int(3) },
    classes: 3,
  },
  {
    op: "ConvTranspose",
    name: "grouped",
    inputs: [[1, 6, 3, 4], [6, 2, 2, 2], [4]],
    attributes: { group: int(2) },
    classes: 5,
  },
  { op: "Gemm", name: "bias by column", inputs: [[3, 4], [4, 5], [5]], classes: 12 },
  {
    op: "Gemm",
    name: "transposed, bias by row",
    inputs: [
      [4, 3],
      [5, 4],
      [3, 1],
    ],
    attributes: { transA: int(1), transB: int(1) },
    classes: 12,
  },
  {
    op: "MatMul",
    name: "by a matrix",
    inputs: [
      [2, 3, 4],
      [4, 5],
    ],
    classes: 12,
  },
  { op: "MatMul", name: "vector by matrix", inputs: [[4], [4, 3]], classes: 7 },
  { op: "MatMul", name: "matrix by vector", inputs: [[3, 4], [4]], classes: 7 },
  {
    op: "MatMul",
    name: "broadcast batches",
    inputs: [
      [2, 1, 3, 4],
      [5, 4, 2],
    ],
    classes: 14,
  },
  { op: "BatchNormalization", name: "inference", inputs: [[2, 3, 2, 2], [3], [3], [3], [3]], classes: 7 },
  { op: "MaxPool", name: "2x2", inputs: [[2, 3, 4, 4]], attributes: { kernel_shape: ints([2, 2]) }, classes: 3 },
  { op: "AveragePool", name: "2x2", inputs: [[2, 3, 4, 4]], attributes: { kernel_shape: ints([2, 2]) }, classes: 3 },
  { op: "GlobalAveragePool", name: "plane", inputs: [[2, 3, 4, 4]], classes: 3 },
  { op: "GlobalMaxPool", name: "plane", inputs: [[2, 3, 4, 4]], classes: 3 },
  { op: "LRN", name: "neighbours mix", inputs: [[1, 5, 3, 3]], attributes: { size: int(3) }, classes: 6 },
  {
    op: "Resize",
    name: "scales",
    inputs: [[2, 3, 4, 4], undefined, tensorOf("float32", [4], [1, 1, 2, 2])],
    classes: 3,
  },
  {
    op: "Resize",
    name: "sizes",
    inputs: [[2, 3, 4, 4], undefined, undefined, int64s([2, 3, 5, 6])],
    attributes: { mode: string("linear") },
    classes: 3,
  },
  { op: "DepthToSpace", name: "DCR", inputs: [[2, 12, 2, 3]], attributes: { blocksize: int(2) }, classes: 3 },
  {
    op: "DepthToSpace",
    name: "CRD",
    inputs: [[2, 12, 2, 3]],
    attributes: { blocksize: int(2), mode: string("CRD") },
    classes: 3,
  },
  { op: "SpaceToDepth", name: "2x2", inputs: [[2, 3, 4, 6]], attributes: { blocksize: int(2) }, classes: 3 },
]);
