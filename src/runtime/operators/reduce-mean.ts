/** ReduceMean over the channels of one image, or over all that comes behind them, in kernels. */
import type { Build } from "../build.ts";

/** Puts the steps of a mean over `axes`, and says whether a kernel has it. */
export function addMean(build: Build, x: number, y: number, axes: readonly number[]): boolean {
  const [images, channels = 1, ...rest] = build.shape(x);
  const over = String([...axes].sort((a, b) => a - b));
  const pixels = rest.reduce((product, size) => product * size, 1);
  if (images !== 1 || rest.length === 0) return false;
  if (over === String(rest.map((_, i) => i + 2))) {
    build.call("globalAverage", build.read(x), build.write(y), channels, pixels);
    return true;
  }
  if (over !== "1") return false;
  // One output whose weights are 1 / C.
  const stream = new Int32Array(2 + 2 * channels);
  const shares = new Float32Array(stream.buffer);
  stream[0] = channels;
  for (let c = 0; c < channels; c++) {
    stream[2 + 2 * c] = 4 * c * pixels;
    shares[3 + 2 * c] = 1 / channels;
  }
  const [src, dst] = [build.read(x), build.write(y)];
  const open = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;
  build.call(
    "sparseConv",
    src,
    build.put(stream),
    build.put(new Float32Array(1)),
    0,
    dst,
    1,
    1,
    pixels,
    4 * pixels,
    ...open,
  );
  return true;
}
