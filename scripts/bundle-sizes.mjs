/** Prints what users download, plain and gzipped, and exits 1 where a file has outgrown its budget. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

/** Budgets in bytes, gzipped. */
const budgets = [
  { file: "dist/web/report.html", gzipBytes: 140_000 },
  { file: "dist/runtime.js", gzipBytes: 10_000 },
  { file: "dist/runtime-kernels.js", gzipBytes: 16_000 },
  { file: "dist/runtime-usual.js", gzipBytes: 6_000 },
  { file: "dist/runtime-operators.js", gzipBytes: 17_000 },
];

let failed = false;
for (const { file, gzipBytes } of budgets) {
  const path = fileURLToPath(new URL(`../${file}`, import.meta.url));
  if (!existsSync(path)) {
    console.error(`${file} is missing; build it with: npm run build`);
    failed = true;
    continue;
  }
  const bytes = readFileSync(path);
  const packed = gzipSync(bytes, { level: 9 }).length;
  const verdict = packed > gzipBytes ? "OVER BUDGET" : "ok";
  failed ||= packed > gzipBytes;
  console.log(`${file}  ${bytes.length} B, gzip ${packed} B of ${gzipBytes} B  ${verdict}`);
}
process.exit(failed ? 1 : 0);
