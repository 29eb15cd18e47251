/**
 * What the entropy coders make of real weights: `npm run build && node bench/codec.mjs [model.onnx …]` (default: three models of
 * NETPARE_SHARED/data/models, `../shared` where it is not set). A row a stream kind, summed over the layers, each a stream of its own;
 * bits a weight of: the layers' zero-order entropies, plain Huffman, Deep Compression's form (gaps and values), ours; and the MB of
 * float32 weights that a second of CPU time decodes, the median of 5 runs in alternation over the rows, with their spread.
 */
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { entropyBits } from "../dist/codec/entropy.js";
import { decodeHuffman } from "../dist/codec/huffman-decoder.js";
import { encodeHuffman } from "../dist/codec/huffman-encoder.js";
import { decodeSymbols } from "../dist/codec/symbols-decoder.js";
import { encodeSymbols } from "../dist/codec/symbols-encoder.js";
import { decodeModel } from "../dist/onnx/index.js";
import { createRandom } from "../dist/tensor/random.js";

const seed = 1;
const runs = 5;
const secondsPerRun = 0.15;

const shared = process.env.NETPARE_SHARED ?? fileURLToPath(new URL("../../shared", import.meta.url));
const models = ["cifar10_resnet32", "cifar10_distiller_resnet20_dense", "squeezenet_v1.1"];
const files =
  process.argv.length > 2 ? process.argv.slice(2) : models.map((name) => join(shared, "data/models", `${name}.onnx`));

/** The float32 weights of a model, a layer each: data and elements an output channel. */
function layersOf(file) {
  const weights = [...decodeModel(readFileSync(file)).initializers.values()].filter(
    (t) => t.dtype === "float32" && t.shape.length > 1 && t.data.length > 64,
  );
  return weights.map((t) => ({ data: t.data, row: t.data.length / t.shape[0] }));
}

/** The smallest magnitudes of all layers to 0, the others to the nearest of `codes` centroids of their layer (Lloyd, from linear). */
function prune(layers, share, codes) {
  const magnitudes = Float32Array.from(layers.flatMap(({ data }) => Array.from(data, Math.abs))).sort();
  const threshold = magnitudes[Math.floor(share * magnitudes.length)];
  return layers.map(({ data, row }) => {
    const kept = data.filter((v) => Math.abs(v) >= threshold).sort();
    const centroids = lloyd(kept, codes);
    const symbols = Uint8Array.from(data, (v) => (Math.abs(v) < threshold ? 0 : 1 + nearest(centroids, v)));
    return { symbols, row, alphabet: codes + 1 };
  });
}

function lloyd(sorted, codes) {
  const [low, high] = [sorted[0] ?? 0, sorted.at(-1) ?? 0];
  let centroids = Array.from({ length: codes }, (_, i) => low + ((high - low) * i) / (codes - 1));
  for (let round = 0; round < 20; round++) {
    const sums = centroids.map(() => 0);
    const counts = centroids.map(() => 0);
    let at = 0;
    for (const v of sorted) {
      while (at < codes - 1 && Math.abs(centroids[at + 1] - v) < Math.abs(centroids[at] - v)) at++;
      sums[at] += v;
      counts[at]++;
    }
    centroids = centroids.map((c, i) => (counts[i] > 0 ? sums[i] / counts[i] : c));
  }
  return centroids;
}

function nearest(centroids, v) {
  let best = 0;
  for (let i = 1; i < centroids.length; i++) if (Math.abs(centroids[i] - v) < Math.abs(centroids[best] - v)) best = i;
  return best;
}

/** Symmetric integers of `bits` bits, one scale a layer; 0, then the others ascending. */
function quantize(layers, bits) {
  const largest = 2 ** (bits - 1) - 1;
  return layers.map(({ data, row }) => {
    const scale = data.reduce((most, v) => Math.max(most, Math.abs(v)), 0) / largest;
    const symbols = Uint8Array.from(data, (v) => {
      const q = Math.round(v / scale);
      return q === 0 ? 0 : q < 0 ? q + largest + 1 : q + largest;
    });
    return { symbols, row, alphabet: 2 * largest + 1 };
  });
}

function signs(layers) {
  return layers.map(({ data, row }) => ({ symbols: Uint8Array.from(data, (v) => (v < 0 ? 1 : 0)), row, alphabet: 2 }));
}

/** Independent draws: 0 with probability `zeros`, else uniform. */
function draws(count, alphabet, zeros) {
  const random = createRandom(seed);
  const symbols = Uint8Array.from({ length: count }, () =>
    random.uniform() < zeros ? 0 : 1 + random.below(alphabet - 1),
  );
  return [{ symbols, row: 576, alphabet }];
}

const rows = files.flatMap((file) => {
  const layers = layersOf(file);
  const name = basename(file, ".onnx").slice(0, 26);
  return [
    { name: `${name}: 90 % pruned, 15 centroids`, streams: prune(layers, 0.9, 15) },
    { name: `${name}: 4 bits`, streams: quantize(layers, 4) },
    { name: `${name}: 8 bits`, streams: quantize(layers, 8) },
    { name: `${name}: signs`, streams: signs(layers) },
  ];
});
rows.push(
  { name: "independent: 99 % zeros of 16", streams: draws(400_000, 16, 0.99) },
  { name: "independent: 90 % zeros of 16", streams: draws(400_000, 16, 0.9) },
  { name: "independent: uniform of 256", streams: draws(400_000, 256, 1 / 256) },
);

const coders = {
  huffman: {
    encode: (s) => encodeHuffman(s.symbols, s.alphabet, { gapBits: 0 }),
    decode: (bytes, s) => decodeHuffman(bytes, s.symbols.length, s.alphabet),
  },
  gaps: {
    encode: (s) =>
      [3, 4, 5, 6, 7, 8]
        .map((gapBits) => encodeHuffman(s.symbols, s.alphabet, { gapBits }))
        .reduce((a, b) => (b.length < a.length ? b : a)),
    decode: (bytes, s) => decodeHuffman(bytes, s.symbols.length, s.alphabet),
  },
  ours: { encode: (s) => encodeSymbols(s.symbols, s), decode: (bytes, s) => decodeSymbols(bytes, s.symbols.length, s) },
};

for (const row of rows) {
  row.weights = row.streams.reduce((n, s) => n + s.symbols.length, 0);
  row.entropy = row.streams.reduce((n, s) => n + entropyBits(s.symbols), 0) / row.weights;
  row.coded = {};
  row.speeds = { huffman: [], ours: [] };
  for (const [name, coder] of Object.entries(coders)) {
    const bytes = row.streams.map(coder.encode);
    row.streams.forEach((s, i) => {
      if (Buffer.compare(coder.decode(bytes[i], s), s.symbols) !== 0)
        throw new Error(`${row.name}: ${name} is not exact`);
    });
    row.coded[name] = { bytes, bits: (8 * bytes.reduce((n, b) => n + b.length, 0)) / row.weights };
  }
}

for (let run = 0; run < runs; run++) {
  for (const row of rows) {
    for (const name of ["huffman", "ours"]) {
      const { bytes } = row.coded[name];
      const start = process.cpuUsage().user;
      let rounds = 0;
      let spent = 0;
      while (spent < secondsPerRun * 1e6) {
        row.streams.forEach((s, i) => {
          coders[name].decode(bytes[i], s);
        });
        rounds++;
        spent = process.cpuUsage().user - start;
      }
      row.speeds[name].push((4 * row.weights * rounds) / spent);
    }
  }
}

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const speed = (list) => `${median(list).toFixed(0)} (${Math.min(...list).toFixed(0)}-${Math.max(...list).toFixed(0)})`;
console.log(
  `${cpus()[0].model}, Node ${process.version}, seed ${seed}; ${runs} runs of ${secondsPerRun} s of CPU time, one thread`,
);
console.log("| stream | entropy | Huffman | gaps, Huffman | ours | ours / entropy | Huffman MB/s | ours MB/s |");
console.log("|---|---|---|---|---|---|---|---|");
for (const row of rows) {
  const { huffman, gaps, ours } = row.coded;
  const bits = [row.entropy, huffman.bits, gaps.bits, ours.bits].map((b) => b.toFixed(3));
  const ratio = (ours.bits / row.entropy).toFixed(3);
  console.log(`| ${[row.name, ...bits, ratio, speed(row.speeds.huffman), speed(row.speeds.ours)].join(" | ")} |`);
}
