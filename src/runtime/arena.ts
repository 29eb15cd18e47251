/**
 * Where activations lie: each buffer is alive from one step to another, and two that are alive together lie apart. Buffers are
 * placed largest first, each at the lowest address that is free over its life (greedy by size, Pisarchyk and Lee 2020,
 * arXiv:2001.03288).
 */

/** Bytes in use from step `first` to step `last`; `address` is set by `layOut`. */
export interface Region {
  readonly bytes: number;
  first: number;
  last: number;
  address: number;
}

const alignment = 64;
/** The next address that a buffer may begin at. */
export const align = (bytes: number): number => Math.ceil(bytes / alignment) * alignment;

/** Gives each region an address from `start` on, and returns the end of the last. */
export function layOut(regions: Iterable<Region>, start: number): number {
  const placed: Region[] = [];
  let end = start;
  for (const region of [...regions].sort((a, b) => b.bytes - a.bytes)) {
    const beside = placed.filter(({ first, last }) => first <= region.last && last >= region.first);
    beside.sort((a, b) => a.address - b.address);
    region.address = align(start);
    for (const { address, bytes } of beside) {
      if (address - region.address >= region.bytes) break;
      region.address = Math.max(region.address, align(address + bytes));
    }
    placed.push(region);
    end = Math.max(end, region.address + region.bytes);
  }
  return end;
}
