import { int } from "../../src/graph/attributes.ts";
import { tensorOf } from "../../src/tensor/tensor.ts";
import { checkOps } from "./check-op.ts";

const scale = tensorOf("float32", [], [0.05]);
const scales = tensorOf("float32", [3], [0.05, 0.1, 0.02]);
const x = tensorOf("float32", [6], [-0.125, 0.125, 0.375, -20, 20, 0.07]);
const weights = tensorOf("int8", [2, 3, 2], [-128, 127, 0, 5, -6, 7, 1, 2, 3, -4, 50, -60]);

/** The runtime's outputs are floats; test/runtime/int8.test.ts has networks. */
const bytes = /outputs have to be float32/;

checkOps("quantization", [
  { op: "QuantizeLinear", name: "uint8 without a zero point", runtime: bytes, inputs: [[2, 3, 4], scale] },
  {
    op: "QuantizeLinear",
    name: "uint8, halves to even, saturated",
    runtime: bytes,
    inputs: [x, tensorOf("float32", [], [0.25]), tensorOf("uint8", [], [64])],
  },
  {
    op: "QuantizeLinear",
    name: "int8",
    runtime: bytes,
    inputs: [[2, 3, 4], scale, tensorOf("int8", [], [-3])],
    draw: (v) => 4 * v,
  },
  {
    op: "QuantizeLinear",
    name: "per axis",
    runtime: bytes,
    inputs: [[2, 3, 4], scales, tensorOf("int8", [3], [0, 1, 2])],
  },
  {
    op: "QuantizeLinear",
    name: "per negative axis",
    runtime: bytes,
    inputs: [[2, 4, 3], scales, tensorOf("uint8", [3], [0, 100, 255])],
    attributes: { axis: int(-1) },
  },
  { op: "DequantizeLinear", name: "int8 without a zero point", inputs: [weights, []] },
  {
    op: "DequantizeLinear",
    name: "uint8",
    inputs: [tensorOf("uint8", [3], [0, 128, 255]), [], tensorOf("uint8", [], [128])],
  },
  { op: "DequantizeLinear", name: "per axis", inputs: [weights, [3], tensorOf("int8", [3], [1, 2, 3])] },
  { op: "DequantizeLinear", name: "per first axis", inputs: [weights, [2]], attributes: { axis: int(0) } },
  {
    op: "DequantizeLinear",
    name: "int32 as of a bias",
    inputs: [tensorOf("int32", [3], [100000, -5, 7]), [3]],
    attributes: { axis: int(0) },
  },
]);
