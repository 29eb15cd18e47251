/** Streams of symbols for the tests of `codec/`: anything at all, of known entropy, and with neighbours that are alike. */
import fc from "fast-check";
import { createRandom } from "../../src/tensor/random.ts";

/** Symbols of any kind with their alphabet and row: also none, one, all equal, and runs. */
export const anyStream = fc
  .record({ alphabet: fc.integer({ min: 1, max: 256 }), row: fc.integer({ min: 1, max: 2000 }) })
  .chain(({ alphabet, row }) => {
    const symbol = fc.nat(alphabet - 1);
    const run = fc.tuple(fc.oneof(fc.constant(0), symbol), fc.nat(400)).map(([s, n]) => Array<number>(n).fill(s));
    const symbols = fc.oneof(
      fc.array(symbol, { maxLength: 600 }),
      fc.array(run, { maxLength: 8 }).map((runs) => runs.flat()),
    );
    return symbols.map((list) => ({ alphabet, row, symbols: Uint8Array.from(list) }));
  });

/** `count` independent draws: 0 with probability `zeros`, the others each half as likely as the one before, at least `floor` of the first. */
export function independent(count: number, alphabet: number, zeros: number, seed: number, floor = 0.02): Uint8Array {
  const random = createRandom(seed);
  const weights = Array.from({ length: alphabet - 1 }, (_, i) => Math.max(2 ** -i, floor));
  const total = weights.reduce((a, b) => a + b, 0);
  return Uint8Array.from({ length: count }, () => {
    if (alphabet === 1 || random.uniform() < zeros) return 0;
    let left = random.uniform() * total;
    const index = weights.findIndex((weight) => {
      left -= weight;
      return left < 0;
    });
    return index < 0 ? alphabet - 1 : index + 1;
  });
}

/** `count` symbols of `alphabet` in rows of `row`: blocks of 9 that are dense or almost empty, as kernels of a pruned network are. */
export function clustered(count: number, alphabet: number, row: number, seed: number): Uint8Array {
  const random = createRandom(seed);
  const columns = Float64Array.from({ length: row }, () => random.uniform());
  let dense = 0;
  return Uint8Array.from({ length: count }, (_, i) => {
    if (i % 9 === 0) dense = random.uniform() < 0.2 ? 0.8 : 0.02;
    return random.uniform() < dense * columns[i % row]! * 1.2 ? 1 + random.below(alphabet - 1) : 0;
  });
}

/** `bytes` with one to four of them changed, taken out or put in, or cut short. */
export function mutate(bytes: Uint8Array, seed: number): Uint8Array {
  const random = createRandom(seed);
  let list = [...bytes];
  for (let n = 1 + random.below(4); n > 0; n--) {
    const at = random.below(list.length);
    const kind = random.below(5);
    if (kind === 0) list.splice(at, 1 + random.below(3));
    else if (kind === 1) list.splice(at, 0, random.below(256));
    else if (kind === 2) list = list.slice(0, at);
    else list[at] = kind === 3 ? random.below(256) : list[at]! ^ (1 << random.below(8));
    if (list.length === 0) break;
  }
  return Uint8Array.from(list);
}
