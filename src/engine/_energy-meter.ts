/**
 * The machine's energy counters: Linux's powercap tree, in which Intel's and AMD's RAPL counters appear.
 * A zone `intel-rapl:P` named `package-…` counts a whole processor, cores and uncore within it included; its subzone named `dram`
 * counts the memory beside it. Those are summed. The zones `core`, `uncore`, `psys` and `intel-rapl-mmio:P` count the same
 * joules again and are left out. A counter starts over at `max_energy_range_uj`; it must be read before it does so twice.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Joules since the meter was opened. */
export interface EnergyMeter {
  readonly source: "powercap";
  /** Joules so far; undefined from the time a counter could not be read. */
  read(): number | undefined;
}

interface Zone {
  readonly file: string;
  readonly isPackage: boolean;
  readonly range: number;
  last: number;
}

/** Opens the machine's counters under `root`; undefined where there are none, or one of them may not be read. */
export function openEnergyMeter({
  root = "/sys/class/powercap",
}: {
  readonly root?: string | undefined;
} = {}): EnergyMeter | undefined {
  const zones: Zone[] = [];
  try {
    for (const name of readdirSync(root)) {
      const text = (file: string) => readFileSync(join(root, name, file), "utf8").trim();
      if (!/^intel-rapl(:\d+){1,2}$/.test(name) || !isCounted(name, text("name"))) continue;
      const file = join(root, name, "energy_uj");
      zones.push({
        file,
        isPackage: isPackage(name),
        range: Number(text("max_energy_range_uj")),
        last: readCounter(file),
      });
    }
  } catch {
    return undefined;
  }
  if (!zones.some(({ isPackage }) => isPackage)) return undefined;
  let microjoules = 0;
  let failed = false;
  return {
    source: "powercap",
    read() {
      try {
        for (const zone of zones) microjoules += advance(zone);
      } catch {
        failed = true;
      }
      return failed ? undefined : microjoules * 1e-6;
    },
  };
}

const isPackage = (zone: string) => zone.split(":").length === 2;

const isCounted = (zone: string, name: string) => (isPackage(zone) ? name.startsWith("package-") : name === "dram");

function advance(zone: Zone): number {
  const now = readCounter(zone.file);
  const grown = now >= zone.last ? now - zone.last : now + zone.range - zone.last;
  zone.last = now;
  return grown;
}

function readCounter(file: string): number {
  const text = readFileSync(file, "utf8").trim();
  if (!/^\d+$/.test(text)) throw new Error(`internal: the counter ${file} holds no number`);
  return Number(text);
}
