/** The resident set of this process: what it takes now, and the most that it took. */
import { readFileSync, writeFileSync } from "node:fs";

/** Resident bytes now. */
export const residentBytes = (): number => process.memoryUsage.rss();

/** Most resident bytes so far. Linux hands the maximum of `getrusage` on from parent to child; its high-water mark is our own. */
export function peakResidentBytes(): number {
  const peak = process.platform === "linux" ? /^VmHWM:\s+(\d+) kB$/m.exec(statusOf())?.[1] : undefined;
  return Number(peak ?? process.resourceUsage().maxRSS) * 1024;
}

/** Begins the count of the most anew, where the system can. */
export function restartPeak(): void {
  try {
    if (process.platform === "linux") writeFileSync("/proc/self/clear_refs", "5");
  } catch {
    // A system that forbids it goes on counting from the start of the process.
  }
}

const statusOf = () => readFileSync("/proc/self/status", "utf8");
