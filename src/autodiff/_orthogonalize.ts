/**
 * The nearest matrix whose singular values are 1, about: five Newton-Schulz iterations `X ← aX + (bA + cA²)X`, `A = XXᵀ`, of a
 * quintic that lifts small singular values fast and leaves all between 0.7 and 1.2 (Jordan et al. 2024,
 * kellerjordan.github.io/posts/muon).
 */
import { int } from "../graph/attributes.ts";
import type { TypedBuilder } from "../ops/typed-builder.ts";

const [a, b, c] = [3.4445, -4.775, 2.0315];
const iterations = 5;

/** Appends it for the matrix `x: (R, C)`; a matrix of zeros stays one. */
export function orthogonalize(g: TypedBuilder, x: string): string {
  const [rows, columns] = g.shape(x) as [number, number];
  const norm = g.op("Sqrt", [g.op("ReduceSumSquare", [x], { keepdims: int(0) })]);
  const unit = g.div(x, g.add(norm, g.scalar(1e-7, norm)));
  const flip = (matrix: string) => (rows > columns ? g.op("Transpose", [matrix]) : matrix);
  let wide = flip(unit);
  for (let i = 0; i < iterations; i++) {
    const square = g.op("Gemm", [wide, wide], { transB: int(1) });
    const weights = g.add(g.scale(square, b), g.scale(g.op("MatMul", [square, square]), c));
    wide = g.add(g.scale(wide, a), g.op("MatMul", [weights, wide]));
  }
  return flip(wide);
}
