import { int, ints, string } from "../../src/graph/attributes.ts";
import { checkOps } from "./check-op.ts";

checkOps("pools", [
  {
    op: "MaxPool",
    name: "2x2 tiles",
    inputs: [[2, 3, 6, 8]],
    attributes: { kernel_shape: ints([2, 2]), strides: ints([2, 2]) },
  },
  {
    op: "MaxPool",
    name: "tiles with rows left over",
    inputs: [[2, 3, 7, 8]],
    attributes: { kernel_shape: ints([2, 3]), strides: ints([2, 3]) },
  },
  {
    op: "MaxPool",
    name: "overlapping 3x3, stride 2",
    inputs: [[2, 3, 9, 8]],
    attributes: { kernel_shape: ints([3, 3]), strides: ints([2, 2]) },
  },
  {
    op: "MaxPool",
    name: "overlapping, padded",
    inputs: [[2, 3, 8, 8]],
    attributes: { kernel_shape: ints([3, 3]), strides: ints([2, 2]), pads: ints([1, 1, 1, 1]) },
  },
  {
    op: "MaxPool",
    name: "asymmetric pads, stride 1",
    inputs: [[1, 2, 5, 6]],
    attributes: { kernel_shape: ints([3, 2]), pads: ints([0, 1, 2, 0]) },
  },
  {
    op: "MaxPool",
    name: "ceil_mode",
    inputs: [[2, 2, 8, 7]],
    attributes: { kernel_shape: ints([3, 3]), strides: ints([2, 2]), ceil_mode: int(1) },
  },
  {
    op: "MaxPool",
    name: "ceil_mode, tiles",
    inputs: [[2, 2, 7, 6]],
    attributes: { kernel_shape: ints([2, 2]), strides: ints([2, 2]), ceil_mode: int(1) },
  },
  {
    op: "MaxPool",
    name: "dilated",
    inputs: [[2, 2, 8, 8]],
    attributes: { kernel_shape: ints([2, 3]), dilations: ints([3, 2]) },
  },
  {
    op: "MaxPool",
    name: "stride above kernel",
    inputs: [[2, 2, 9, 8]],
    attributes: { kernel_shape: ints([2, 2]), strides: ints([3, 4]) },
  },
  {
    op: "MaxPool",
    name: "auto_pad SAME_UPPER",
    inputs: [[2, 2, 7, 6]],
    attributes: { kernel_shape: ints([3, 3]), strides: ints([2, 2]), auto_pad: string("SAME_UPPER") },
  },
  {
    op: "MaxPool",
    name: "auto_pad SAME_LOWER",
    inputs: [[2, 2, 7, 6]],
    attributes: { kernel_shape: ints([2, 2]), auto_pad: string("SAME_LOWER") },
  },
  {
    op: "MaxPool",
    name: "indices",
    inputs: [[2, 2, 7, 6]],
    outputs: 2,
    attributes: { kernel_shape: ints([3, 2]), strides: ints([2, 2]) },
  },
  { op: "MaxPool", name: "one axis", inputs: [[2, 3, 9]], attributes: { kernel_shape: ints([3]), strides: ints([2]) } },
  {
    op: "MaxPool",
    name: "three axes",
    inputs: [[1, 2, 5, 6, 4]],
    attributes: { kernel_shape: ints([2, 3, 2]), strides: ints([2, 2, 1]) },
  },

  {
    op: "AveragePool",
    name: "2x2 tiles",
    inputs: [[2, 3, 6, 8]],
    attributes: { kernel_shape: ints([2, 2]), strides: ints([2, 2]) },
  },
  {
    op: "AveragePool",
    name: "one tile",
    inputs: [[2, 3, 4, 4]],
    attributes: { kernel_shape: ints([4, 4]), strides: ints([4, 4]) },
  },
  { op: "AveragePool", name: "one tile, stride 1", inputs: [[2, 3, 4, 4]], attributes: { kernel_shape: ints([4, 4]) } },
  {
    op: "AveragePool",
    name: "tiles with rows left over",
    inputs: [[2, 3, 7, 8]],
    attributes: { kernel_shape: ints([2, 3]), strides: ints([2, 3]) },
  },
  {
    op: "AveragePool",
    name: "overlapping, padded",
    inputs: [[2, 3, 8, 7]],
    attributes: { kernel_shape: ints([3, 3]), strides: ints([2, 2]), pads: ints([1, 1, 1, 1]) },
  },
  {
    op: "AveragePool",
    name: "count_include_pad, asymmetric pads",
    inputs: [[2, 3, 8, 7]],
    attributes: {
      kernel_shape: ints([3, 3]),
      strides: ints([2, 2]),
      pads: ints([0, 1, 2, 1]),
      count_include_pad: int(1),
    },
  },
  {
    op: "AveragePool",
    name: "ceil_mode",
    inputs: [[2, 2, 8, 7]],
    attributes: { kernel_shape: ints([3, 3]), strides: ints([2, 2]), ceil_mode: int(1) },
  },
  {
    op: "AveragePool",
    name: "ceil_mode, count_include_pad",
    inputs: [[2, 2, 8, 7]],
    attributes: {
      kernel_shape: ints([3, 3]),
      strides: ints([2, 2]),
      pads: ints([1, 0, 0, 1]),
      ceil_mode: int(1),
      count_include_pad: int(1),
    },
  },
  {
    op: "AveragePool",
    name: "stride above kernel",
    inputs: [[2, 2, 9, 8]],
    attributes: { kernel_shape: ints([2, 2]), strides: ints([3, 4]) },
  },
  {
    op: "AveragePool",
    name: "auto_pad SAME_UPPER",
    inputs: [[2, 2, 7, 6]],
    attributes: { kernel_shape: ints([3, 3]), strides: ints([2, 2]), auto_pad: string("SAME_UPPER") },
  },
  {
    op: "AveragePool",
    name: "one axis",
    inputs: [[2, 3, 9]],
    attributes: { kernel_shape: ints([3]), strides: ints([2]) },
  },
  {
    op: "AveragePool",
    name: "three axes",
    inputs: [[1, 2, 5, 6, 4]],
    attributes: { kernel_shape: ints([2, 3, 2]), strides: ints([2, 2, 1]) },
  },

  { op: "GlobalAveragePool", name: "odd plane", inputs: [[2, 3, 5, 7]] },
  { op: "GlobalAveragePool", name: "one axis", inputs: [[1, 3, 5]] },
  { op: "GlobalMaxPool", name: "odd plane", inputs: [[2, 3, 5, 7]] },
  { op: "GlobalMaxPool", name: "one axis", inputs: [[1, 3, 5]] },
]);
