/**
 * Builds the page into one file, `dist/web/report.html`, with script and style inside. Its Content-Security-Policy allows
 * this one script, by hash, and no network at all.
 */

import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import preact from "@preact/preset-vite";
import { defineConfig, type Plugin } from "vite";
import { viteSingleFile } from "vite-plugin-singlefile";

const inlineScript = /<script type="module"[^>]*>([\s\S]*?)<\/script>/;

/** Names the page report.html and seals it: one script, known by its hash, and nothing from elsewhere. */
function sealPage(): Plugin {
  return {
    name: "netpare-seal-page",
    apply: "build",
    enforce: "post",
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        const page = bundle["index.html"];
        if (page?.type !== "asset") throw new Error("internal: the build made no index.html");
        const html = String(page.source);
        const script = inlineScript.exec(html)?.[1];
        if (!script) throw new Error("internal: the page's script was not inlined");
        const hash = createHash("sha256").update(script).digest("base64");
        const policy = `default-src 'none'; script-src 'sha256-${hash}'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'`;
        const meta = `<meta http-equiv="Content-Security-Policy" content="${policy}" />`;
        delete bundle["index.html"];
        this.emitFile({
          type: "asset",
          fileName: "report.html",
          source: html.replace('<meta charset="utf-8" />', (charset) => `${charset}\n    ${meta}`),
        });
      },
    },
  };
}

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  plugins: [preact(), viteSingleFile({ removeViteModuleLoader: true }), sealPage()],
  build: {
    outDir: fileURLToPath(new URL("../dist/web", import.meta.url)),
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
  },
});
