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
  /** The operands of `spread` from `h` to `strideX`; left out where the input itself serves. */
  readonly spread?: readonly [
    h: number,
    w: number,
    top: number,
    left: number,
    rows: number,
    cols: number,
    strideY: number,
    strideX: number,
  ];
  /** Bytes of one channel: all its phases. */
  readonly channelBytes: number;
  readonly rowBytes: number;
  /** The output's size to be told to the kernels: a 1x1 window's map is one flat row, `oh` = 1 and `ow` = h w. */
  readonly oh: number;
  readonly ow: number;
  /** Byte offset of each tap, row-major over the window. */
  readonly taps: Int32Array;
}

/** Weights (O, K) as [O/8][K][8], the last block filled up with zeros. */
export function packWeights(weights: ArrayLike<number>, outputs: number, count: number): Float32Array {
  const packed = new Float32Array(Math.ceil(outputs / 8) * count * 8);
  for (let o = 0; o < outputs; o++) {
    const [from, to] = [o * count, (o & ~7) * count + (o & 7)];
    for (let k = 0; k < count; k++) packed[to + 8 * k] = weights[from + k]!;
  }
  return packed;
}

/** Channels a multiple of this apart fall into few sets of a first-level cache, and drive each other out of it. */
const crowdedBytes = 256;
const marginFloats = 16;

/**
 * The planes of `window`. A 1x1 window of stride 1 without pads reads the input as it lies, unless its channels crowd the cache, being a
 * multiple of `crowded` bytes: then `spread` copies them some way apart.
 */
export function layPlanes(window: Window, crowded = crowdedBytes): Planes {
  const { h, w, oh, ow, top, left } = window;
  const [kh, kw] = window.kernel;
  const [sy, sx] = window.strides;
  const [dy, dx] = window.dilations;
  if (kh * kw * sy * sx === 1 && top === 0 && left === 0 && oh === h && ow === w) {
    const flat = { oh: 1, ow: h * w, taps: Int32Array.of(0) };
    const bytes = h * w * 4;
    if (bytes % crowded !== 0) return { channelBytes: bytes, rowBytes: bytes, ...flat };
    const cols = h * w + marginFloats;
    return { spread: [1, h * w, 0, 0, 1, cols, 1, 1], channelBytes: cols * 4, rowBytes: cols * 4, ...flat };
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
  const channelBytes = sy * sx * rows * cols * 4;
  return { spread: [h, w, top, left, rows, cols, sy, sx], channelBytes, rowBytes: cols * 4, oh, ow, taps };
}

/** The taps of all `channels`, channel-major: the offsets of `conv`, in the order of its weights (O, C kh kw). */
export function tapOffsets(
  { taps, channelBytes }: { readonly taps: Int32Array; readonly channelBytes: number },
  channels: number,
): Int32Array {
  const offsets = new Int32Array(channels * taps.length);
  for (let c = 0, k = 0; c < channels; c++)
    for (let t = 0; t < taps.length; t++) offsets[k++] = c * channelBytes + taps[t]!;
  return offsets;
}
