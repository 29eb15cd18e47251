/** Dense layers: Gemm and MatMul by a constant matrix, row by row; sparse where few weights are left, or by indices. */
import { badFile, type ProgramNode } from "../../format/read.ts";
import { attribute, type Build, behind, broadcast } from "../build.ts";
import { isSparse, packSparse } from "../kernels/pack-sparse.ts";
import { floatsOf, type Stored, storedOf } from "../stored.ts";
import { closing } from "./_bounds.ts";
import type { Matrix } from "./_codebook-layer.ts";

/** @returns false where the product is no dense layer. */
export function addGemm(build: Build, node: ProgramNode): boolean {
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
  if (!eachRow && build.takes(node)) return true;
  if (transA || eachRow || !build.isConstant(w) || (c >= 0 && !build.isConstant(c))) return false;
  const bias = c < 0 ? new Float32Array(outputs) : Float32Array.from(build.constant(c), (value) => value * beta);
  const biases = bias.length === outputs ? bias : new Float32Array(outputs).fill(bias[0]!);
  addDense(build, node, x, { value: w, isRows: transB, factor: alpha }, biases);
  return true;
}

/** @returns false where the product is no dense layer. */
export function addMatMul(build: Build, node: ProgramNode): boolean {
  const [x, w] = node.inputs as [number, number];
  const [left, right] = [build.shape(x), build.shape(w)];
  const outputs = right[1]!;
  const isDense = left.length >= 2 && right.length === 2;
  if (isDense) {
    if (left.at(-1) !== right[0]) throw badFile(`MatMul of (${left}) by (${right})`);
    build.output(node, left.with(-1, outputs));
    if (build.takes(node)) return true;
  }
  if (!isDense || !build.isConstant(w)) return false;
  addDense(build, node, x, { value: w, isRows: false, factor: 1 }, new Float32Array(outputs));
  return true;
}

/** The matrix as rows of outputs. */
function rowsOf(build: Build, { value, isRows, factor }: Matrix, outputs: number): Stored {
  if (isRows && factor === 1) return build.stored(value);
  const matrix = build.constant(value);
  const rows = new Float32Array(matrix.length);
  const count = rows.length / outputs;
  const [down, across] = isRows ? [count, 1] : [1, outputs];
  let at = 0;
  for (let o = 0; o < outputs; o++)
    for (let k = 0; k < count; k++) rows[at++] = factor * matrix[o * down + k * across]!;
  return storedOf(rows);
}

function addDense(build: Build, node: ProgramNode, x: number, matrix: Matrix, bias: Float32Array): void {
  const outputs = bias.length;
  const weights = rowsOf(build, matrix, outputs);
  const count = weights.bytes.length / weights.elementBytes / outputs;
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
    : sparse
      ? build.put(packSparse(floatsOf(weights), outputs, offsets))
      : build.putRows(weights, outputs, count);
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
