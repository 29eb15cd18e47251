/** Dense layers: Gemm and MatMul by a constant matrix, row by row; sparse where few weights are left, or by indices. Other products in JavaScript. */
import { badFile, type ProgramNode } from "../../format/read.ts";
import { attribute, type Build, behind, broadcast } from "../build.ts";
import { packSparse, packWeights } from "../kernels/pack.ts";
import { closing } from "./_bounds.ts";
import type { Matrix } from "./_codebook-layer.ts";
import { multiply } from "./_multiply.ts";
import { isSparse } from "./conv.ts";

export function addGemm(build: Build, node: ProgramNode): void {
  const [x, w, c = -1] = node.inputs as [number, number, number?];
  const [transA, transB] = [attribute(node, "transA", 0) === 1, attribute(node, "transB", 0) === 1];
  const alpha = attribute(node, "alpha", 1);
  const beta = attribute(node, "beta", 1);
  const [left, right] = [build.shape(x), build.shape(w)];
  const [rows, inner] = transA ? [left[1], left[0]] : left;
  const [depth, outputs = 0] = transB ? [right[1], right[0]] : right;
  if (left.length !== 2 || right.length !== 2 || inner !== depth) throw badFile(`Gemm of (${left}) by (${right})`);
  const y = build.output(node, [rows!, outputs]);
  const added = c < 0 ? [] : build.shape(c);
  if (String(broadcast([added, [rows!, outputs]])) !== String(build.shape(y))) throw badFile(`Gemm plus (${added})`);
  const eachRow = added.length === 2 && added[0] !== 1;
  if (!eachRow && build.takes(node)) return;
  if (transA || eachRow || !build.isConstant(w) || (c >= 0 && !build.isConstant(c))) {
    multiply(build, node, { transA, transB, alpha, bias: c < 0 ? undefined : { value: c, beta } });
    return;
  }
  const bias = c < 0 ? new Float32Array(outputs) : Float32Array.from(build.constant(c), (value) => value * beta);
  const biases = bias.length === outputs ? bias : new Float32Array(outputs).fill(bias[0]!);
  addDense(build, node, x, { value: w, isRows: transB, factor: alpha }, biases);
}

export function addMatMul(build: Build, node: ProgramNode): void {
  const [x, w] = node.inputs as [number, number];
  const [left, right] = [build.shape(x), build.shape(w)];
  const outputs = right[1]!;
  const isDense = left.length >= 2 && right.length === 2;
  if (isDense) {
    if (left.at(-1) !== right[0]) throw badFile(`MatMul of (${left}) by (${right})`);
    build.output(node, left.with(-1, outputs));
    if (build.takes(node)) return;
  }
  if (!isDense || !build.isConstant(w)) {
    multiply(build, node);
    return;
  }
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
  const { codebook } = build.forms;
  const book = sparse ? undefined : codebook?.bookOfDense(build, matrix, outputs);
  const offsets = Int32Array.from({ length: count }, (_, k) => 4 * k);
  const packed = book
    ? codebook!.putIndices(build, book.indices, outputs, count, book.bits)
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
