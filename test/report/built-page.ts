/** Builds the report page for tests where it is absent or older than its sources. Built aside and renamed, so tests may race. */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const page = join(root, "dist/web/report.html");

function newestSource(): number {
  const files = ["web", "src/report"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((name) => join(root, folder, name)),
  );
  return Math.max(...files.map((file) => statSync(file).mtimeMs));
}

function build(): void {
  mkdirSync(join(root, "dist/web"), { recursive: true });
  const aside = mkdtempSync(join(root, "dist/page-"));
  try {
    execFileSync(
      process.execPath,
      [join(root, "node_modules/vite/bin/vite.js"), "build", "--config", "web/vite.config.ts", "--outDir", aside],
      { cwd: root, env: { ...process.env, NODE_ENV: "production" }, stdio: "pipe" },
    );
    renameSync(join(aside, "report.html"), page);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

/** The built page's text, built first where needed. */
export function builtPage(): string {
  if (!existsSync(page) || statSync(page).mtimeMs < newestSource()) build();
  return readFileSync(page, "utf8");
}
