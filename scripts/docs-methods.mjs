/** Writes docs/methods/*.md from the methods and the heads of their files. */
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const { methodPages } = (await runnerImport(path("test/methods/method-pages.ts"))).module;
const pages = methodPages();
mkdirSync(path("docs/methods"), { recursive: true });
for (const [name, text] of pages) writeFileSync(path(`docs/methods/${name}`), text);
console.log(`docs/methods: ${pages.size} pages`);
