/** Softmax of each row: `dst[r][i] = e^(src[r][i] - max) / sum_j e^(src[r][j] - max)`, rows of `count` elements. */
import { exp4 } from "./_exp";
import { put } from "./_lanes";

/** See the head. `dst` may be `src`. */
export function softmax(src: usize, dst: usize, rows: i32, count: i32): void {
  const bytes: usize = count * 4;
  for (let r = 0; r < rows; r++) {
    let most: f32 = -Infinity;
    for (let i: usize = 0; i < bytes; i += 4) most = max(most, load<f32>(src + i));
    const shift = f32x4.splat(most);
    let sum: f32 = 0;
    for (let i: usize = 0; i < bytes; i += 16) {
      put(dst + i, exp4(f32x4.sub(v128.load(src + i), shift)), (bytes - i) >> 2);
      const stop = min(i + 16, bytes);
      for (let j = i; j < stop; j += 4) sum += load<f32>(dst + j);
    }
    const scale = f32x4.splat(<f32>1 / sum);
    for (let i: usize = 0; i < bytes; i += 16) put(dst + i, f32x4.mul(v128.load(dst + i), scale), (bytes - i) >> 2);
    src += bytes;
    dst += bytes;
  }
}
