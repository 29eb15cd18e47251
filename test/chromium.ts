/** An installed Chromium for tests that open pages; NETPARE_CHROMIUM names it where it is not at a usual place. */
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const usual = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Its program, undefined where there is none; tests that need it say so in their names and are skipped then. */
export const chromiumFile = [process.env.NETPARE_CHROMIUM ?? "", ...usual].find(
  (path) => path !== "" && existsSync(path),
);

/** What such a test's name says. */
export const needsChromium = "(needs Chromium or NETPARE_CHROMIUM)";

export function openChromium(...flags: readonly string[]): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumFile!,
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", ...flags],
  });
}
