/**
 * Two operands, element by element: `dst[c][i] = clamp(op(a[c][i], b))` with b = `b[c][i]` (`perChannel` = 0) or `b[c]` (1).
 * Tensors of one shape are one channel; a scalar is `b[0]` of one channel.
 * op: 0 a + b, 1 a - b, 2 a * b, 3 a / b, 4 max, 5 min, 6 b - a, 7 b / a, 8 a < 0 ? a * b : a (PRelu).
 */
import { clamp, put } from "./_lanes";

@inline
function apply(op: i32, a: v128, b: v128): v128 {
  switch (op) {
    case 0: return f32x4.add(a, b);
    case 1: return f32x4.sub(a, b);
    case 2: return f32x4.mul(a, b);
    case 3: return f32x4.div(a, b);
    case 4: return f32x4.max(a, b);
    case 5: return f32x4.min(a, b);
    case 6: return f32x4.sub(b, a);
    case 7: return f32x4.div(b, a);
    default: return v128.bitselect(f32x4.mul(a, b), a, f32x4.lt(a, f32x4.splat(0)));
  }
}

/** See the head. `dst` may be `a` or `b`. */
export function arithmetic(
  op: i32, a: usize, b: usize, dst: usize, channels: i32, count: i32, perChannel: i32, lo: f32, hi: f32,
): void {
  const low = f32x4.splat(lo), high = f32x4.splat(hi);
  for (let c = 0; c < channels; c++) {
    let v = v128.load32_splat(b);
    for (let left = count; left > 0; left -= 4) {
      const step: usize = left < 4 ? left * 4 : 16;
      if (!perChannel) {
        v = v128.load(b);
        b += step;
      }
      put(dst, clamp(apply(op, v128.load(a), v), low, high), left);
      a += step;
      dst += step;
    }
    if (perChannel) b += 4;
  }
}
