#!/usr/bin/env node
/** The command. It stands outside of `dist/`, so that it can be linked before the first build. */
import { existsSync } from "node:fs";

const main = new URL("../dist/cli/main.js", import.meta.url);
if (existsSync(main)) await import(main.href);
else {
  process.stderr.write("netpare: not built yet; run: npm run build\n");
  process.exitCode = 2;
}
