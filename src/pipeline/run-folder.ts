/**
 * A run's folder. It holds everything a run made, and what is in it is always whole: every file is written beside and renamed,
 * and a step counts as done only when its record, written last, is there. That is what makes a killed run resumable.
 *
 *   recipe.yaml  log.txt  report.json  report.html
 *   stages/0-original/{model.onnx, graph.onnx, record.json}  stages/1-prune-channels/…
 */
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { ioReason, writeWhole } from "../files/write-whole.ts";
import { NetpareError } from "../tensor/error.ts";

export interface RunFolder {
  readonly directory: string;
  /** The path of a file in the folder; its own folder is made. */
  file(...parts: readonly string[]): string;
  has(...parts: readonly string[]): boolean;
  read(...parts: readonly string[]): Buffer;
  readJson(...parts: readonly string[]): unknown;
  /** Writes a file whole or not at all. */
  write(name: string, content: string | Uint8Array): Promise<void>;
  remove(name: string): void;
  /** Adds a line to log.txt. */
  log(line: string): void;
}

/**
 * Opens the folder of a run.
 * @throws NetpareError `bad-option` where it holds something else, or a run that is not to be resumed; `io` where it cannot be
 * written.
 */
export function openRunFolder(directory: string, options: { readonly resume: boolean }): RunFolder {
  const at = (...parts: readonly string[]) => path.join(directory, ...parts);
  const started = existsSync(at("recipe.yaml")) || existsSync(at("search.json"));
  if (started && !options.resume)
    throw new NetpareError(
      "bad-option",
      `'${directory}' already holds a run; continue it with --resume or choose another --out`,
    );
  const guard = <T>(what: string, act: () => T): T => {
    try {
      return act();
    } catch (error) {
      throw new NetpareError("io", `${what} failed: ${ioReason(error)}`);
    }
  };
  guard(`making the folder '${directory}'`, () => mkdirSync(directory, { recursive: true }));
  const file = (...parts: readonly string[]) => {
    const full = at(...parts);
    guard(`making the folder of '${full}'`, () => mkdirSync(path.dirname(full), { recursive: true }));
    return full;
  };
  const read = (...parts: readonly string[]) => guard(`reading '${at(...parts)}'`, () => readFileSync(at(...parts)));
  return {
    directory,
    file,
    has: (...parts) => existsSync(at(...parts)),
    read,
    readJson(...parts) {
      const text = read(...parts).toString("utf8");
      try {
        return JSON.parse(text) as unknown;
      } catch {
        throw new NetpareError("bad-data", `'${at(...parts)}' is damaged; remove it and resume`);
      }
    },
    write: (name, content) => writeWhole(file(name), typeof content === "string" ? Buffer.from(content) : content),
    remove: (name) => rmSync(at(name), { force: true, recursive: true }),
    log: (line) => guard(`writing '${at("log.txt")}'`, () => appendFileSync(file("log.txt"), `${line}\n`)),
  };
}

/** SHA-256 of bytes in hexadecimal. */
export function digestOf(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}
