/** The mean of each channel: `dst[c] = sum_i src[c][i] / count`, summed in eight lanes. */
import { total } from "./_lanes";

/** See the head. */
export function globalAverage(src: usize, dst: usize, channels: i32, count: i32): void {
  const scale = <f32>1 / <f32>count;
  for (let c = 0; c < channels; c++) {
    let a = f32x4.splat(0), b = a;
    let left = count;
    for (; left >= 8; left -= 8, src += 32) {
      a = f32x4.add(a, v128.load(src));
      b = f32x4.add(b, v128.load(src, 16));
    }
    let sum = total(f32x4.add(a, b));
    for (; left > 0; left--, src += 4) sum += load<f32>(src);
    store<f32>(dst, sum * scale);
    dst += 4;
  }
}
