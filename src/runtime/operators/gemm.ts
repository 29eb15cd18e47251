/** Dense layers: Gemm and MatMul by a constant matrix, row by row; sparse where few weights are left, or by indices. */
import type { ProgramNode } from "../../format/read.ts";
import { attribute, type Build, behind, unsupported } from "../build.ts";
import { packSparse, packWeights } from "../kernels/pack.ts";
import { addBinaryLayer } from "./_binary-layer.ts";
import { closing } from "./_bounds.ts";
import { bookOfDense, type Matrix, putIndices } from "./_codebook-layer.ts";
import { addInt8Layer } from "./_int8-layer.ts";
import { isSparse } from "./conv.ts";

export function addGemm(build: Build, node: ProgramNode): void {
  if (addInt8Layer(build, node) || addBinaryLayer(build, node)) return;
  const [x, w, c = -1] = node.inputs as [number, number, number?];
  if (attribute(node, "transA", 0)) throw unsupported("Gemm with transA");
  const alpha = attribute(node, "alpha", 1);
  const beta = attribute(node, "beta", 1);
  const outputs = build.shape(node.outputs[0]!).at(-1)!;
  const bias = c < 0 ? new Float32Array(outputs) : Float32Array.from(build.constant(c), (value) => value * beta);
  if (bias.length !== outputs && bias.length !== 1) throw unsupported("Gemm with a bias for each row");
  const biases = bias.length === outputs ? bias : new Float32Array(outputs).fill(bias[0]!);
  addDense(build, node, x, { value: w, isRows: attribute(node, "transB", 0) === 1, factor: alpha }, biases);
}

export function addMatMul(build: Build, node: ProgramNode): void {
  if (addInt8Layer(build, node)) return;
  const [x, w] = node.inputs as [number, number];
  const outputs = build.shape(node.outputs[0]!).at(-1)!;
  if (build.shape(w).length !== 2) throw unsupported("MatMul by other than a constant matrix");
  addDense(build, node, x, { value: w, isRows: false, factor: 1 }, new Float32Array(outputs));
}

/** The matrix as rows of outputs. */
function rowsOf(build: Build, { value, isRows, factor }: Matrix, outputs: number): Float32Array {
  const matrix = build.constant(value);
  const count = matrix.length / outputs;
  return Float32Array.from({ length: matrix.length }, (_, i) => {
    const [o, k] = [Math.floor(i / count), i % count];
    return factor * matrix[isRows ? i : k * outputs + o]!;
  });
}

function addDense(build: Build, node: ProgramNode, x: number, matrix: Matrix, bias: Float32Array): void {
  const outputs = bias.length;
  const weights = rowsOf(build, matrix, outputs);
  const count = weights.length / outputs;
  const rows = build.size(x) / count;
  const src = build.read(x);
  const { output, residual, lo, hi } = closing(build, node.outputs[0]!);
  const dst = build.write(output);
  const sparse = isSparse(weights);
  const book = sparse ? undefined : bookOfDense(build, matrix, outputs);
  const offsets = Int32Array.from({ length: count }, (_, k) => 4 * k);
  const packed = book
    ? putIndices(build, book.indices, outputs, count, book.bits)
    : build.put(sparse ? packSparse(weights, outputs, offsets) : packWeights(weights, outputs, count));
  const biases = build.put(bias);
  for (let row = 0; row < rows; row++) {
    const from = behind(src, 4 * row * count);
    const at = 4 * row * outputs;
    const beside = typeof residual === "number" ? 0 : behind(residual, at);
    const rest = [biases, beside, behind(dst, at), outputs, lo, hi] as const;
    if (sparse) build.call("sparseGemm", from, packed, ...rest);
    else if (book) build.call("codebookGemm", from, count, packed, book.bits, book.table, book.scales, ...rest);
    else build.call("gemm", from, count, packed, ...rest);
  }
}
