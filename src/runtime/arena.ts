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
const align = (bytes: number) => Math.ceil(bytes / alignment) * alignment;

/** Gives each region an address from `start` on, and returns the end of the last. */
export function layOut(regions: Iterable<Region>, start: number): number {
  /** By address. */
  const placed: Region[] = [];
  let end = start;
  for (const region of [...regions].sort((a, b) => b.bytes - a.bytes)) {
    region.address = align(start);
    for (const { address, bytes, first, last } of placed) {
      if (first > region.last || last < region.first) continue;
      if (address - region.address >= region.bytes) break;
      region.address = Math.max(region.address, align(address + bytes));
    }
    const behind = placed.findIndex(({ address }) => address > region.address);
    placed.splice(behind < 0 ? placed.length : behind, 0, region);
    end = Math.max(end, region.address + region.bytes);
  }
  return end;
}

/** Lays regions that all stay one behind the other, and returns the end of the last. */
export function layInTurn(regions: Iterable<Region>, start: number): number {
  let end = start;
  for (const region of regions) {
    region.address = align(end);
    end = region.address + region.bytes;
  }
  return end;
}
