/**
 * Puts back the platform packages that npm leaves out of package-lock.json when it cannot see them (npm/cli#4828), and without
 * which `npm ci` refuses the file. What an entry says follows from the package's name: `@scope/tool-linux-x64-musl`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const file = fileURLToPath(new URL("../package-lock.json", import.meta.url));
const lock = JSON.parse(readFileSync(file, "utf8"));
const platform = /-(android|darwin|freebsd|linux|win32)-(arm64|armv7|x64|arm|ia32)(?:-(musl|gnu))?$/;
const added = [];

for (const parent of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`;
    const match = platform.exec(name);
    if (lock.packages[key] !== undefined || match === null) continue;
    const [, os, cpu, libc] = match;
    lock.packages[key] = {
      version,
      cpu: [cpu === "armv7" ? "arm" : cpu],
      ...(parent.dev && { dev: true }),
      ...(libc && { libc: [libc === "gnu" ? "glibc" : libc] }),
      license: parent.license,
      optional: true,
      os: [os],
      engines: parent.engines,
    };
    added.push(name);
  }
}

lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(added.length === 0 ? "nothing is missing" : `added ${added.join(", ")}`);
