/**
 * Max and average pooling over planes. Max (`scales` = 0): `dst = max_t plane[taps[t] + ...]`, the planes filled with -Infinity.
 * Average: `dst = scales[y][x] * sum_t plane[...]`, the planes filled with 0; `scales` (oh, ow) holds one over the number of pixels
 * that count, which is where `count_include_pad` and `ceil_mode` differ.
 */
import { put } from "./_lanes";

/** See the head. */
export function pool(
  src: usize, taps: usize, count: i32, scales: usize, dst: usize,
  channels: i32, channelBytes: i32, oh: i32, ow: i32, rowBytes: i32,
): void {
  const end: usize = taps + count * 4;
  for (let c = 0; c < channels; c++) {
    let row = src;
    let scale = scales;
    for (let y = 0; y < oh; y++) {
      let s = row;
      for (let left = ow; left > 0; left -= 4) {
        let v = v128.load(s + load<i32>(taps));
        if (scales) {
          for (let t = taps + 4; t < end; t += 4) v = f32x4.add(v, v128.load(s + load<i32>(t)));
          v = f32x4.mul(v, v128.load(scale));
        } else {
          for (let t = taps + 4; t < end; t += 4) v = f32x4.max(v, v128.load(s + load<i32>(t)));
        }
        put(dst, v, left);
        const step: usize = left < 4 ? left * 4 : 16;
        s += step;
        scale += step;
        dst += step;
      }
      row += rowBytes;
    }
    src += channelBytes;
  }
}
