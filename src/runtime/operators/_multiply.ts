/** Products of matrices that are both computed, or of more than two axes: `y = alpha A B + beta C` in JavaScript, in doubles. */
import { badFile, type ProgramNode } from "../../format/read.ts";
import { type Build, broadcast } from "../build.ts";
import { broadcastIndices } from "./_copy.ts";

interface Factors {
  readonly transA?: boolean;
  readonly transB?: boolean;
  readonly alpha?: number;
  /** What is added, broadcast to the product. */
  readonly bias?: { readonly value: number; readonly beta: number } | undefined;
}

/** Multiplies a node's first two inputs as ONNX's MatMul does, whose vectors are a row on the left and a column on the right. */
export function multiply(build: Build, node: ProgramNode, { transA, transB, alpha = 1, bias }: Factors = {}): true {
  const [a, b] = node.inputs as [number, number];
  const [given, by] = [build.shape(a), build.shape(b)];
  const left = given.length === 1 ? [1, ...given] : given;
  const right = by.length === 1 ? [...by, 1] : by;
  const [rows, depth] = (transA ? left.slice(-2).reverse() : left.slice(-2)) as [number, number];
  const [inner, columns] = (transB ? right.slice(-2).reverse() : right.slice(-2)) as [number, number];
  if (depth !== inner) throw badFile(`${node.op} of (${given}) by (${by})`);
  const batch = broadcast([left.slice(0, -2), right.slice(0, -2)]);
  const y = build.output(node, [
    ...batch,
    ...(given.length === 1 ? [] : [rows]),
    ...(by.length === 1 ? [] : [columns]),
  ]);
  const starts = [left, right].map((shape) => broadcastIndices(build, shape.slice(0, -2), batch));
  const [down, across] = transA ? [1, rows] : [depth, 1];
  const [deep, wide] = transB ? [1, depth] : [columns, 1];
  const map = bias && broadcastIndices(build, build.shape(bias.value), build.shape(y));
  const places = [build.read(a), build.read(b), bias ? build.read(bias.value) : 0];
  build.act(
    (memory, to, from, other, added) => {
      let at = to! / 4;
      for (let n = 0; n < starts[0]!.length; n++)
        for (let i = 0; i < rows; i++)
          for (let j = 0; j < columns; j++) {
            let p = from! / 4 + starts[0]![n]! * rows * depth + i * down;
            let q = other! / 4 + starts[1]![n]! * depth * columns + j * wide;
            let sum = 0;
            for (let k = 0; k < depth; k++, p += across, q += deep) sum += memory[p]! * memory[q]!;
            sum *= alpha;
            if (bias) sum += bias.beta * memory[added! / 4 + map![i * columns + j]!]!;
            memory[at++] = sum;
          }
    },
    build.write(y),
    ...places,
  );
  return true;
}
