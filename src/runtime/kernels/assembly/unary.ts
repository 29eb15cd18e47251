/**
 * Functions of one element, `dst[i] = f(src[i])`, by `op`:
 * 0 x within [alpha, beta] (Relu, Clip), 1 LeakyRelu(alpha), 2 Sigmoid, 3 Tanh, 4 HardSigmoid(alpha, beta), 5 HardSwish,
 * 6 Elu(alpha), 7 Exp, 8 Log, 9 Sqrt, 10 Abs, 11 Neg, 12 Reciprocal, 13 alpha x + beta, 14 Floor, 15 Ceil, 16 Softplus, 17 Softsign,
 * 18 Sign, 19 Round (to even), 20 SiLU.
 * Logarithm: x = 2^e m, m in [sqrt(1/2), sqrt(2)), Cephes' polynomial of logf (Moshier 1992). Tanh below 0.625: Cephes' tanhf, so that
 * small arguments keep their relative precision. Relative error below 5e-7.
 */
import { exp4 } from "./_exp";
import { clamp, madd, put } from "./_lanes";

@inline
function sigmoid(x: v128): v128 {
  const one = f32x4.splat(1);
  return f32x4.div(one, f32x4.add(one, exp4(f32x4.neg(x))));
}

@inline
function tanh(x: v128): v128 {
  const one = f32x4.splat(1);
  const size = f32x4.abs(x);
  const far = f32x4.sub(one, f32x4.div(f32x4.splat(2), f32x4.add(one, exp4(f32x4.add(size, size)))));
  const z = f32x4.mul(x, x);
  let p = f32x4.splat(-5.70498872745e-3);
  p = madd(p, z, f32x4.splat(2.06390887954e-2));
  p = madd(p, z, f32x4.splat(-5.37397155531e-2));
  p = madd(p, z, f32x4.splat(1.33314422036e-1));
  p = madd(p, z, f32x4.splat(-3.33332819422e-1));
  const near = madd(f32x4.mul(p, z), x, x);
  const signed = v128.bitselect(x, far, f32x4.splat(-0.0));
  return v128.bitselect(near, signed, f32x4.lt(size, f32x4.splat(0.625)));
}

function log4(x: v128): v128 {
  // Numbers below 2^-126 are scaled up first.
  const tiny = f32x4.lt(x, f32x4.splat(1.17549435e-38));
  const bits = v128.bitselect(f32x4.mul(x, f32x4.splat(8388608)), x, tiny);
  const shifted = i32x4.sub(bits, i32x4.splat(0x3f3504f3));
  const e = i32x4.shr_s(shifted, 23);
  const m = f32x4.sub(i32x4.sub(bits, i32x4.shl(e, 23)), f32x4.splat(1));
  const n = f32x4.sub(f32x4.convert_i32x4_s(e), v128.and(tiny, f32x4.splat(23)));
  const z = f32x4.mul(m, m);
  let p = f32x4.splat(7.0376836292e-2);
  p = madd(p, m, f32x4.splat(-1.1514610310e-1));
  p = madd(p, m, f32x4.splat(1.1676998740e-1));
  p = madd(p, m, f32x4.splat(-1.2420140846e-1));
  p = madd(p, m, f32x4.splat(1.4249322787e-1));
  p = madd(p, m, f32x4.splat(-1.6668057665e-1));
  p = madd(p, m, f32x4.splat(2.0000714765e-1));
  p = madd(p, m, f32x4.splat(-2.4999993993e-1));
  p = madd(p, m, f32x4.splat(3.3333331174e-1));
  let y = f32x4.mul(f32x4.mul(p, m), z);
  y = madd(n, f32x4.splat(-2.12194440e-4), y);
  y = f32x4.add(m, madd(z, f32x4.splat(-0.5), y));
  y = madd(n, f32x4.splat(0.693359375), y);
  y = v128.bitselect(f32x4.splat(-Infinity), y, f32x4.eq(x, f32x4.splat(0)));
  y = v128.bitselect(y, f32x4.splat(NaN), f32x4.ge(x, f32x4.splat(0)));
  return v128.bitselect(x, y, f32x4.eq(x, f32x4.splat(Infinity)));
}

@inline
function apply(op: i32, x: v128, alpha: v128, beta: v128): v128 {
  const zero = f32x4.splat(0), one = f32x4.splat(1);
  switch (op) {
    case 0: return clamp(x, alpha, beta);
    case 1: return v128.bitselect(f32x4.mul(x, alpha), x, f32x4.lt(x, zero));
    case 2: return sigmoid(x);
    case 3: return tanh(x);
    case 4: return clamp(madd(x, alpha, beta), zero, one);
    case 5: return f32x4.mul(x, clamp(madd(x, f32x4.splat(<f32>(1.0 / 6.0)), f32x4.splat(0.5)), zero, one));
    case 6: return v128.bitselect(f32x4.mul(alpha, f32x4.sub(exp4(x), one)), x, f32x4.lt(x, zero));
    case 7: return exp4(x);
    case 8: return log4(x);
    case 9: return f32x4.sqrt(x);
    case 10: return f32x4.abs(x);
    case 11: return f32x4.neg(x);
    case 12: return f32x4.div(one, x);
    case 13: return madd(x, alpha, beta);
    case 14: return f32x4.floor(x);
    case 15: return f32x4.ceil(x);
    case 16: return f32x4.add(f32x4.max(x, zero), log4(f32x4.add(one, exp4(f32x4.neg(f32x4.abs(x))))));
    case 17: return f32x4.div(x, f32x4.add(one, f32x4.abs(x)));
    case 18: return v128.bitselect(v128.bitselect(x, one, f32x4.splat(-0.0)), x, v128.or(f32x4.lt(x, zero), f32x4.gt(x, zero)));
    case 19: return f32x4.nearest(x);
    default: return f32x4.mul(x, sigmoid(x));
  }
}

/** See the head. `dst` may be `src`. */
export function unary(op: i32, src: usize, dst: usize, count: i32, alpha: f32, beta: f32): void {
  const a = f32x4.splat(alpha), b = f32x4.splat(beta);
  for (; count > 0; count -= 4, src += 16, dst += 16) put(dst, apply(op, v128.load(src), a, b), count);
}
