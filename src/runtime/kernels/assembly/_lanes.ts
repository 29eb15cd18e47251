/**
 * Lanes that several kernels share: one fused or unfused step of a sum, the closing clamp, and the store of a part of a vector.
 * The relaxed variant fuses multiply and add where the machine can, so its last bits may differ from the plain variant's.
 */

/** `a * b + c`, rounded once or twice. */
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(c, f32x4.mul(a, b));
}

/** `v` within [lo, hi]; NaN stays NaN. */
@inline
export function clamp(v: v128, lo: v128, hi: v128): v128 {
  return f32x4.pmin(f32x4.pmax(v, lo), hi);
}

/** Stores the first `lanes` lanes of `v`; 4 or more store it whole. */
export function put(at: usize, v: v128, lanes: i32): void {
  if (lanes >= 4) {
    v128.store(at, v);
    return;
  }
  v128.store32_lane(at, v, 0);
  if (lanes > 1) v128.store32_lane(at, v, 1, 4);
  if (lanes > 2) v128.store32_lane(at, v, 2, 8);
}

/** The sum of four lanes. */
@inline
export function total(v: v128): f32 {
  return (
    f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3))
  );
}

/** The distance from `dst` to `residual` that says there is none: tensors are 16-byte aligned, so no true distance is odd. */
@inline export const none: usize = 1;

/** Adds the residual that lies `residual` bytes from `at`, clamps, and stores `lanes` lanes. */
@inline
export function close(at: usize, v: v128, residual: usize, lanes: i32, lo: v128, hi: v128): void {
  if (residual != none) v = f32x4.add(v, v128.load(at + residual));
  put(at, clamp(v, lo, hi), lanes);
}
