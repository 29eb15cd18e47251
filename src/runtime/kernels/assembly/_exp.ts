/**
 * Four exponentials: x = n ln 2 + r with |r| <= ln 2 / 2, e^x = 2^n P(r), P the polynomial of Cephes' expf (Moshier 1992);
 * ln 2 in two parts so that r is exact. Relative error below 2e-7. Below -87.3 it is 0, above 88.7 Infinity; NaN stays NaN.
 */
import { madd } from "./_lanes";

@inline
function two(n: v128): v128 {
  return i32x4.shl(i32x4.add(n, i32x4.splat(127)), 23);
}

/** e^x, lane by lane. */
export function exp4(x: v128): v128 {
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(1.44269504)));
  let r = f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375)));
  r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(-2.12194440e-4)));
  let p = f32x4.splat(1.9875691500e-4);
  p = madd(p, r, f32x4.splat(1.3981999507e-3));
  p = madd(p, r, f32x4.splat(8.3334519073e-3));
  p = madd(p, r, f32x4.splat(4.1665795894e-2));
  p = madd(p, r, f32x4.splat(1.6666665459e-1));
  p = madd(p, r, f32x4.splat(5.0000001201e-1));
  p = f32x4.add(madd(p, f32x4.mul(r, r), r), f32x4.splat(1));
  // 2^128 is no float32: the power is applied in two halves.
  const i = i32x4.trunc_sat_f32x4_s(n);
  const half = i32x4.shr_s(i, 1);
  let y = f32x4.mul(f32x4.mul(p, two(half)), two(i32x4.sub(i, half)));
  y = v128.andnot(y, f32x4.lt(x, f32x4.splat(-87.3)));
  return v128.bitselect(f32x4.splat(Infinity), y, f32x4.gt(x, f32x4.splat(88.72)));
}
