/** A picture of many faces at once: a row per expression. */
import { writeWhole } from "../../files/write-whole.ts";
import { createRandom } from "../../tensor/random.ts";
import { loadSharp } from "../load-sharp.ts";
import { createFacePainter, type FaceFormat } from "./draw-face.ts";
import { EXPRESSIONS } from "./expression.ts";

/** What the sheet shows: `columns` faces of each expression, each pixel `zoom` pixels wide, from `seed`. */
export interface ContactSheetOptions extends FaceFormat {
  readonly columns: number;
  readonly zoom: number;
  readonly seed: number;
}

/** An interleaved raster: `pixels: (height, width, channels)`. */
export interface ContactSheet {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly pixels: Uint8Array;
}

/** Draws the sheet; rows are in class order. */
export function contactSheet({ size, channels, columns, zoom, seed }: ContactSheetOptions): ContactSheet {
  const cell = size * zoom;
  const width = columns * cell;
  const height = EXPRESSIONS.length * cell;
  const pixels = new Uint8Array(width * height * channels);
  const paintFace = createFacePainter({ size, channels });
  const face = new Uint8Array(channels * size * size);
  const random = createRandom(seed);
  for (const [row, expression] of EXPRESSIONS.entries())
    for (let column = 0; column < columns; column++) {
      paintFace(expression, random, face, 0);
      for (let y = 0; y < cell; y++)
        for (let x = 0; x < cell; x++) {
          const from = Math.floor(y / zoom) * size + Math.floor(x / zoom);
          const to = ((row * cell + y) * width + column * cell + x) * channels;
          for (let c = 0; c < channels; c++) pixels[to + c] = face[c * size * size + from]!;
        }
    }
  return { width, height, channels, pixels };
}

/**
 * Writes the sheet as a PNG to `file`, beside it first and then in its place; `palette` allows 256 colours only, which
 * makes a sheet in colour three times smaller.
 */
export async function writeContactSheet(
  file: string,
  options: ContactSheetOptions & { readonly palette?: boolean },
): Promise<void> {
  const { width, height, channels, pixels } = contactSheet(options);
  const sharp = await loadSharp();
  const png = sharp(pixels, { raw: { width, height, channels } }).png({
    compressionLevel: 9,
    ...(options.palette ? { palette: true, dither: 0 } : {}),
  });
  await writeWhole(file, await png.toBuffer());
}
