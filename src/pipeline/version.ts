/** The version of netpare, from its package.json. */
import { readFileSync } from "node:fs";

const { version: found } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  readonly version: string;
};

/** Such as "0.1.0". */
export const version = found;
