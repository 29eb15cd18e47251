/**
 * What an operation and a moved byte cost in an energy estimate: M. Horowitz, "Computing's energy problem (and what we can do
 * about it)", ISSCC 2014, figure 1.1.9, measured for a 45 nm process at 0.9 V. A multiply-accumulate is a product and a sum:
 * float32 3.7 + 0.9 pJ, float16 1.1 + 0.4 pJ, int8 0.2 pJ and a 32-bit integer sum of 0.1 pJ. A 1 MB cache gives 64 bits for
 * 100 pJ; DRAM 32 bits for 640 pJ, the low end of 1.3 to 2.6 nJ for 64. Pure, no Node modules.
 * Limits: today's processors spend less on each and more on fetching instructions; only ratios between networks mean much.
 */

/** A format of multiply-accumulates that is priced; wider floats count as float32. */
export type MacFormat = "float32" | "float16" | "int8";

/** Picojoules of one multiply-accumulate. */
export const picojoulesPerMac: Readonly<Record<MacFormat, number>> = { float32: 4.6, float16: 1.5, int8: 0.3 };

/** Picojoules of one byte read or written. */
export const picojoulesPerByte = { cache: 12.5, dram: 160 } as const;

/** Values of up to this many bytes stay in the cache between the node that writes them and those that read them. */
export const cacheBytes = 2 ** 20;

/** Where the constants come from. */
export const energySource =
  "M. Horowitz, Computing's energy problem (and what we can do about it), ISSCC 2014, 45 nm, 0.9 V";

/** The constants on one line: `4.6 pJ a float32 MAC, …`. */
export function describeEnergyConstants(): string {
  const macs = Object.entries(picojoulesPerMac).map(([format, cost]) => `${cost} pJ a ${format} MAC`);
  const { cache, dram } = picojoulesPerByte;
  return [...macs, `${cache} pJ a byte through a 1 MiB cache`, `${dram} pJ a byte through DRAM`].join(", ");
}
