/**
 * What a network's own module runs when it is imported. The module holds text: its kernels, both variants deflated together, and its
 * `.pare` file. `scripts/build-runtime.mjs` minifies this file and all that it imports.
 */
import { readPare } from "../format/read-pare.ts";
import {
  CompiledKernels,
  chooseVariant,
  type KernelModules,
  type KernelVariant,
} from "../runtime/kernels/instantiate.ts";
import { loadWith, type Network, type Parts } from "../runtime/load-with.ts";
import { type PixelScaling, type Pixels, prepareImage } from "../runtime/prepare-image.ts";
import { type RankedClass, rankClasses } from "../runtime/rank-classes.ts";
import { decodeText } from "./text-bytes.ts";

/** Bytes as text, and how many they are. */
export type TextBytes = readonly [text: string, length: number];

/** A kernel's name, and the bytes of its variants, one behind the other; 0 where relaxed is as plain. */
export type KernelSizes = readonly [name: string, plainBytes: number, relaxedBytes: number];

/** A network, its classes, and the way from an image to them. */
export interface OpenModule extends Network {
  readonly classes: readonly string[];
  classify(image: Pixels): RankedClass[];
}

export async function openModule(
  pare: TextBytes,
  kernels: TextBytes,
  sizes: readonly KernelSizes[],
  parts: Omit<Parts, "kernels">,
): Promise<OpenModule> {
  const length = sizes.reduce((sum, [, plainBytes, relaxedBytes]) => sum + plainBytes + relaxedBytes, 0);
  const made = unpack(await inflate(decodeText(...kernels), length), sizes);
  const network = await loadWith(readPare(decodeText(...pare)), {
    ...parts,
    kernels: new CompiledKernels(chooseVariant(), made),
  });
  const said = (key: string, otherwise: string) => JSON.parse(network.metadata.get(`netpare.${key}`) ?? otherwise);
  const classes: readonly string[] = said("classes", "[]");
  const scaling: PixelScaling = said("preprocessing", "0");
  return {
    ...network,
    classes,
    classify(image) {
      const [, , height, width] = network.inputs[0]!.shape as readonly [number, number, number, number];
      const scores = network.run(prepareImage(image, { height, width }, scaling));
      return rankClasses(scores[network.outputs[0]!.name]!, classes);
    },
  };
}

async function inflate(bytes: Uint8Array, length: number): Promise<Uint8Array> {
  const { readable, writable } = new DecompressionStream("deflate-raw");
  const writer = writable.getWriter();
  const written = writer.write(bytes).then(() => writer.close());
  const out = new Uint8Array(length);
  let at = 0;
  for (const reader = readable.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    out.set(value, at);
    at += value.length;
  }
  await written;
  return out;
}

function unpack(bytes: Uint8Array, sizes: readonly KernelSizes[]): KernelModules {
  let at = 0;
  const take = (length: number) => bytes.subarray(at, at + length);
  const made = new Map<string, Readonly<Record<KernelVariant, Uint8Array>>>();
  for (const [name, plainBytes, relaxedBytes] of sizes) {
    const plain = take(plainBytes);
    at += plainBytes;
    made.set(name, { plain, relaxed: relaxedBytes ? take(relaxedBytes) : plain });
    at += relaxedBytes;
  }
  return (name, variant) => made.get(name)![variant];
}
