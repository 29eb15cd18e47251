/**
 * The inverse of the orthonormal cosine transform (DCT-II) over the last two axes: `y = Aᵀ x B`, A and B the transforms of the two
 * lengths, `A[u][i] = s_u cos(π (2i + 1) u / 2n)` with `s_0 = √(1/n)` and `s_u = √(2/n)` beyond.
 */

/** The transform of `n` numbers, `(n, n)` in row-major order, a frequency a row. */
export function cosines(n: number): Float64Array {
  return Float64Array.from({ length: n * n }, (_, at) => {
    const u = Math.floor(at / n);
    return Math.sqrt((u ? 2 : 1) / n) * Math.cos((Math.PI * (2 * (at % n) + 1) * u) / (2 * n));
  });
}

/** The maps of rows by columns whose frequencies are `x: (…, rows, columns)`. */
export function inverseDct(x: ArrayLike<number>, rows: number, columns: number): Float64Array {
  const [down, across] = [cosines(rows), cosines(columns)];
  return Float64Array.from({ length: x.length }, (_, at) => {
    const [i, j] = [Math.floor(at / columns) % rows, at % columns];
    const map = at - i * columns - j;
    let sum = 0;
    for (let u = 0; u < rows; u++)
      for (let v = 0; v < columns; v++)
        sum += down[u * rows + i]! * across[v * columns + j]! * x[map + u * columns + v]!;
    return sum;
  });
}
