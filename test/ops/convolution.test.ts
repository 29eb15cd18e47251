import { float, int, ints, string } from "../../src/graph/attributes.ts";
import { checkOps } from "./check-op.ts";

checkOps("convolutions and matrix products", [
  {
    op: "Conv",
    name: "3x3, same padding, bias",
    inputs: [[2, 3, 5, 6], [4, 3, 3, 3], [4]],
    attributes: { pads: ints([1, 1, 1, 1]) },
  },
  {
    op: "Conv",
    name: "batch 1, no padding, 5x5",
    inputs: [
      [1, 1, 9, 8],
      [3, 1, 5, 5],
    ],
  },
  {
    op: "Conv",
    name: "stride 2, rows left over",
    inputs: [
      [2, 2, 7, 8],
      [3, 2, 3, 3],
    ],
    attributes: { strides: ints([2, 3]) },
  },
  {
    op: "Conv",
    name: "stride 2, padded, even size",
    inputs: [
      [2, 3, 8, 8],
      [4, 3, 3, 3],
    ],
    attributes: { strides: ints([2, 2]), pads: ints([1, 1, 1, 1]) },
  },
  {
    op: "Conv",
    name: "stride above kernel",
    inputs: [
      [2, 2, 9, 10],
      [3, 2, 2, 2],
    ],
    attributes: { strides: ints([3, 4]) },
  },
  {
    op: "Conv",
    name: "asymmetric pads",
    inputs: [
      [2, 2, 5, 5],
      [3, 2, 3, 4],
    ],
    attributes: { pads: ints([0, 2, 1, 3]) },
  },
  {
    op: "Conv",
    name: "pads beyond the kernel",
    inputs: [
      [1, 2, 4, 4],
      [3, 2, 2, 2],
    ],
    attributes: { pads: ints([3, 2, 2, 4]) },
  },
  {
    op: "Conv",
    name: "dilation and stride",
    inputs: [
      [2, 2, 9, 10],
      [3, 2, 3, 2],
    ],
    attributes: { dilations: ints([2, 3]), strides: ints([1, 2]), pads: ints([2, 1, 2, 1]) },
  },
  {
    op: "Conv",
    name: "dilation, stride 1",
    inputs: [
      [2, 2, 8, 9],
      [3, 2, 3, 3],
    ],
    attributes: { dilations: ints([2, 2]), pads: ints([2, 2, 2, 2]) },
  },
  { op: "Conv", name: "1x1", inputs: [[2, 5, 4, 3], [3, 5, 1, 1], [3]] },
  {
    op: "Conv",
    name: "1x1, stride 2",
    inputs: [
      [2, 4, 7, 6],
      [3, 4, 1, 1],
    ],
    attributes: { strides: ints([2, 2]) },
  },
  {
    op: "Conv",
    name: "grouped",
    inputs: [[2, 6, 5, 5], [4, 3, 3, 3], [4]],
    attributes: { group: int(2), pads: ints([1, 1, 1, 1]) },
  },
  {
    op: "Conv",
    name: "grouped, strided, dilated",
    inputs: [
      [2, 4, 9, 9],
      [6, 2, 3, 3],
    ],
    attributes: { group: int(2), strides: ints([2, 1]), dilations: ints([1, 2]) },
  },
  {
    op: "Conv",
    name: "depthwise",
    inputs: [[2, 4, 5, 6], [4, 1, 3, 3], [4]],
    attributes: { group: int(4), pads: ints([1, 1, 1, 1]) },
  },
  {
    op: "Conv",
    name: "depthwise, stride 2",
    inputs: [
      [2, 3, 7, 8],
      [3, 1, 3, 3],
    ],
    attributes: { group: int(3), strides: ints([2, 2]), pads: ints([0, 1, 1, 1]) },
  },
  {
    op: "Conv",
    name: "depthwise, two outputs a channel",
    inputs: [
      [2, 3, 5, 5],
      [6, 1, 3, 3],
    ],
    attributes: { group: int(3), pads: ints([1, 1, 1, 1]) },
  },
  {
    op: "Conv",
    name: "auto_pad SAME_UPPER, stride 2",
    inputs: [
      [2, 2, 7, 8],
      [3, 2, 3, 3],
    ],
    attributes: { auto_pad: string("SAME_UPPER"), strides: ints([2, 2]) },
  },
  {
    op: "Conv",
    name: "auto_pad SAME_LOWER, even kernel",
    inputs: [
      [2, 2, 6, 5],
      [3, 2, 2, 4],
    ],
    attributes: { auto_pad: string("SAME_LOWER") },
  },
  {
    op: "Conv",
    name: "auto_pad VALID",
    inputs: [
      [2, 2, 6, 5],
      [3, 2, 3, 3],
    ],
    attributes: { auto_pad: string("VALID") },
  },
  {
    op: "Conv",
    name: "one axis",
    inputs: [
      [2, 3, 11],
      [4, 3, 3],
    ],
    attributes: { strides: ints([2]), pads: ints([1, 0]) },
  },
  {
    op: "Conv",
    name: "three axes",
    runtime: /over 3 axes/,
    inputs: [
      [2, 2, 4, 5, 4],
      [3, 2, 2, 3, 2],
    ],
    attributes: { pads: ints([0, 1, 0, 1, 1, 0]) },
  },

  {
    op: "Gemm",
    name: "plain",
    inputs: [
      [3, 4],
      [4, 5],
    ],
  },
  { op: "Gemm", name: "B transposed, bias", inputs: [[3, 4], [5, 4], [5]], attributes: { transB: int(1) } },
  {
    op: "Gemm",
    name: "A transposed, scaled",
    inputs: [
      [4, 3],
      [4, 5],
      [3, 1],
    ],
    attributes: { transA: int(1), alpha: float(0.5), beta: float(-2) },
  },
  {
    op: "Gemm",
    name: "both transposed, scalar bias",
    inputs: [[4, 3], [5, 4], []],
    attributes: { transA: int(1), transB: int(1) },
  },

  {
    op: "MatMul",
    name: "matrices",
    inputs: [
      [3, 4],
      [4, 5],
    ],
  },
  {
    op: "MatMul",
    name: "a batch by a matrix",
    inputs: [
      [2, 3, 4],
      [4, 5],
    ],
  },
  {
    op: "MatMul",
    name: "batches that broadcast",
    inputs: [
      [2, 1, 3, 4],
      [5, 4, 2],
    ],
  },
  {
    op: "MatMul",
    name: "a matrix by a batch",
    inputs: [
      [3, 4],
      [2, 4, 5],
    ],
  },
  { op: "MatMul", name: "vector by matrix", inputs: [[4], [4, 3]] },
  { op: "MatMul", name: "matrix by vector", inputs: [[3, 4], [4]] },
  { op: "MatMul", name: "vector by vector", inputs: [[4], [4]] },
  { op: "MatMul", name: "vector by batch", inputs: [[4], [2, 3, 4, 5]] },
  { op: "MatMul", name: "batch by vector", inputs: [[2, 3, 5, 4], [4]] },

  { op: "ConvTranspose", name: "3x3, bias", inputs: [[2, 3, 4, 5], [3, 4, 3, 3], [4]] },
  {
    op: "ConvTranspose",
    name: "batch 1, stride 2, output padding",
    inputs: [
      [1, 3, 4, 5],
      [3, 2, 3, 3],
    ],
    attributes: { strides: ints([2, 2]), pads: ints([1, 1, 1, 1]), output_padding: ints([1, 0]) },
  },
  {
    op: "ConvTranspose",
    name: "asymmetric pads, stride above kernel",
    inputs: [
      [2, 2, 3, 4],
      [2, 3, 2, 3],
    ],
    attributes: { strides: ints([3, 4]), pads: ints([1, 0, 0, 2]) },
  },
  {
    op: "ConvTranspose",
    name: "dilated",
    inputs: [
      [2, 2, 4, 4],
      [2, 3, 3, 2],
    ],
    attributes: { dilations: ints([2, 3]), strides: ints([1, 2]) },
  },
  {
    op: "ConvTranspose",
    name: "grouped",
    inputs: [[2, 4, 4, 3], [4, 3, 3, 3], [6]],
    attributes: { group: int(2), strides: ints([2, 1]) },
  },
  {
    op: "ConvTranspose",
    name: "depthwise",
    inputs: [
      [2, 3, 4, 3],
      [3, 1, 3, 3],
    ],
    attributes: { group: int(3) },
  },
  {
    op: "ConvTranspose",
    name: "auto_pad SAME_UPPER",
    inputs: [
      [2, 2, 4, 3],
      [2, 3, 3, 3],
    ],
    attributes: { auto_pad: string("SAME_UPPER"), strides: ints([2, 2]) },
  },
  {
    op: "ConvTranspose",
    name: "auto_pad SAME_LOWER",
    inputs: [
      [2, 2, 4, 3],
      [2, 3, 3, 3],
    ],
    attributes: { auto_pad: string("SAME_LOWER"), strides: ints([2, 2]) },
  },
  {
    op: "ConvTranspose",
    name: "output_shape",
    inputs: [
      [2, 2, 4, 3],
      [2, 3, 3, 3],
    ],
    attributes: { output_shape: ints([8, 6]), strides: ints([2, 2]) },
  },
  {
    op: "ConvTranspose",
    name: "one axis",
    inputs: [
      [2, 3, 5],
      [3, 2, 4],
    ],
    attributes: { strides: ints([2]) },
  },
]);
