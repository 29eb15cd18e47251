/**
 * A sparse dense layer on one row: `dst[o] = clamp(bias[o] + sum over o's pairs of weight * src[offset] + residual[o])`, with the
 * stream of `sparse-conv`. Nothing is neighbour to anything here, so it is scalar, with four sums under way.
 */

/** See the head. `residual` may be `dst`; 0 is none. */
export function sparseGemm(
  src: usize, stream: usize, bias: usize, residual: usize, dst: usize, outputs: i32, lo: f32, hi: f32,
): void {
  for (let o = 0; o < outputs; o++) {
    const count = load<i32>(stream);
    const at: usize = load<i32>(stream, 4) * 4;
    stream += 8;
    const end4: usize = stream + (count & ~3) * 8;
    const end: usize = stream + count * 8;
    let a = load<f32>(bias + at);
    let b: f32 = 0, c: f32 = 0, d: f32 = 0;
    for (; stream < end4; stream += 32) {
      a += load<f32>(src + load<i32>(stream)) * load<f32>(stream, 4);
      b += load<f32>(src + load<i32>(stream, 8)) * load<f32>(stream, 12);
      c += load<f32>(src + load<i32>(stream, 16)) * load<f32>(stream, 20);
      d += load<f32>(src + load<i32>(stream, 24)) * load<f32>(stream, 28);
    }
    for (; stream < end; stream += 8) a += load<f32>(src + load<i32>(stream)) * load<f32>(stream, 4);
    a = a + b + (c + d);
    if (residual) a += load<f32>(residual + at);
    a = a < lo ? lo : a;
    store<f32>(dst + at, a > hi ? hi : a);
  }
}
