/**
 * Makes a network that tells the built-in faces' expressions, exports it as one module, and serves the page that shows it:
 * `npm run example:browser`. The model is trained once, in about two minutes, and kept in `examples/browser/model/`. The server is a
 * plain file server: for the page it would do to put its files anywhere.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const types = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".wasm": "application/wasm",
  ".onnx": "application/octet-stream",
};

/** What is served under which path. */
const foldersOf = (model) => ({
  "/model/": model,
  "/netpare/": join(root, "dist"),
  "/onnxruntime-web/": join(root, "node_modules/onnxruntime-web/dist"),
  "/": join(root, "examples/browser"),
});

/** Serves the page with the module and the model in a folder; port 0 is any that is free. Resolves to the server. */
export function serve({ model = join(root, "examples/browser/model"), port = 0 } = {}) {
  const folders = Object.entries(foldersOf(model));
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname);
    const [prefix, folder] = folders.find(([begin]) => path.startsWith(begin));
    const file = join(folder, path.slice(prefix.length) || "index.html");
    const type = types[extname(file)];
    try {
      if (type === undefined || !file.startsWith(folder + sep)) throw new Error("not served");
      const body = await readFile(file);
      response.writeHead(200, { "content-type": type, "cache-control": "no-store" }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  return new Promise((resolve) => server.listen(port, "localhost", () => resolve(server)));
}

/** Trains, prunes, lets weights share values, and exports, each by the command that a user would type. */
function makeModel(folder) {
  mkdirSync(folder, { recursive: true });
  const at = (name) => join(folder, name);
  const data = ["--data", "faces:channels=3,train=4000,test=500"];
  const pruning = ["--macs", "0.4", "--round-to", "4", "--epochs", "4", "--lr", "0.04"];
  for (const args of [
    ["train", "faces-net", "--width", "16", ...data, "--epochs", "7", "--lr", "0.08", "--out", at("trained.onnx")],
    ["apply", "prune-channels", at("trained.onnx"), ...data, ...pruning, "--out", at("pruned.onnx")],
    ["apply", "cluster-weights", at("pruned.onnx"), "--bits", "5", "--out", at("shared.onnx")],
    ["export", at("shared.onnx"), "--to", "onnx", "--out", at("faces.onnx")],
    ["export", at("shared.onnx"), "--to", "mjs", "--out", at("faces.mjs")],
  ]) {
    console.log(`netpare ${args.join(" ")}`);
    execFileSync(process.execPath, [join(root, "bin/netpare.mjs"), ...args], { stdio: "inherit" });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const model = join(root, "examples/browser/model");
  if (!existsSync(join(model, "faces.mjs"))) makeModel(model);
  const server = await serve({ model, port: Number(process.env.PORT ?? 8080) });
  console.log(`http://localhost:${server.address().port}/`);
}
