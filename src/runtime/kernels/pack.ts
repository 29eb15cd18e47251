/**
 * What the kernels read beside activations: weights in blocks of 8 outputs, and a window's taps as byte offsets into the planes that
 * `spread` writes. Tap (ky, kx) of stride (sy, sx) and dilation (dy, dx) lies in phase (ky dy mod sy, kx dx mod sx), at row
 * floor(ky dy / sy) and column floor(kx dx / sx); output (y, x) lies y rows and x columns further.
 */

/** A sliding window over one image; all in elements. `top` and `left` are the pads before, `oh` and `ow` the output's size. */
export interface Window {
  readonly h: number;
  readonly w: number;
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly top: number;
  readonly left: number;
  readonly oh: number;
  readonly ow: number;
}

/** How a window's input is laid out and read. */
export interface Planes {
  /** True where the input itself serves and `spread` is left out: one flat row (`oh` = 1, `ow` = h w). */
  readonly direct: boolean;
  /** Size of one phase. */
  readonly rows: number;
  readonly cols: number;
  /** Bytes of one channel: all its phases. */
  readonly channelBytes: number;
  readonly rowBytes: number;
  readonly oh: number;
  readonly ow: number;
  /** Byte offset of each tap, row-major over the window. */
  readonly taps: Int32Array;
}

/** Weights (O, K) as [O/8][K][8], the last block filled up with zeros. */
export function packWeights(weights: ArrayLike<number>, outputs: number, count: number): Float32Array {
  const packed = new Float32Array(Math.ceil(outputs / 8) * count * 8);
  for (let o = 0; o < outputs; o++)
    for (let k = 0; k < count; k++) packed[((o >> 3) * count + k) * 8 + (o & 7)] = weights[o * count + k]!;
  return packed;
}

/** The planes of `window`. A 1x1 window of stride 1 without pads reads the input as it lies. */
export function layPlanes(window: Window): Planes {
  const { h, w, oh, ow } = window;
  const [kh, kw] = window.kernel;
  const [sy, sx] = window.strides;
  const [dy, dx] = window.dilations;
  if (kh * kw * sy * sx === 1 && window.top === 0 && window.left === 0 && oh === h && ow === w) {
    const bytes = h * w * 4;
    const flat = { rows: 1, cols: h * w, channelBytes: bytes, rowBytes: bytes, oh: 1, ow: h * w };
    return { direct: true, ...flat, taps: Int32Array.of(0) };
  }
  const rows = oh + Math.floor(((kh - 1) * dy) / sy);
  const cols = ow + Math.floor(((kw - 1) * dx) / sx);
  const taps = new Int32Array(kh * kw);
  for (let t = 0; t < taps.length; t++) {
    const y = Math.floor(t / kw) * dy;
    const x = (t % kw) * dx;
    const phase = (y % sy) * sx + (x % sx);
    taps[t] = ((phase * rows + Math.floor(y / sy)) * cols + Math.floor(x / sx)) * 4;
  }
  return { direct: false, rows, cols, channelBytes: sy * sx * rows * cols * 4, rowBytes: cols * 4, oh, ow, taps };
}

/** The taps of all `channels`, channel-major: the offsets of `conv`, in the order of its weights (O, C kh kw). */
export function tapOffsets(
  { taps, channelBytes }: Pick<Planes, "taps" | "channelBytes">,
  channels: number,
): Int32Array {
  return Int32Array.from({ length: channels * taps.length }, (_, k) => {
    return Math.floor(k / taps.length) * channelBytes + taps[k % taps.length]!;
  });
}

/**
 * The weights (O, K) that are not zero as the stream of the sparse kernels: for each output an int32 count, then as many pairs of
 * int32 byte offset and float32 weight. `offsets` (K) are `tapOffsets`, or 4 k for a dense layer.
 */
export function packSparse(weights: ArrayLike<number>, outputs: number, offsets: ArrayLike<number>): Int32Array {
  const count = offsets.length;
  const words: number[] = [];
  const float = new Float32Array(1);
  const bits = new Int32Array(float.buffer);
  for (let o = 0; o < outputs; o++) {
    const head = words.push(0) - 1;
    for (let k = 0; k < count; k++) {
      float[0] = weights[o * count + k]!;
      if (float[0] !== 0) words.push(offsets[k]!, bits[0]!);
    }
    words[head] = (words.length - head - 1) / 2;
  }
  return Int32Array.from(words);
}
