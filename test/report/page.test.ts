/** Opens the report page in an installed Chromium. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { renderHtml } from "../../src/report/html.ts";
import type { Report } from "../../src/report/schema.ts";
import { chromiumFile, needsChromium, openChromium } from "../chromium.ts";
import { builtPage } from "./built-page.ts";
import { hostileReport, sampleReport } from "./fixture.ts";

describe.skipIf(chromiumFile === undefined)(`the page in a browser ${needsChromium}`, () => {
  let browser: Browser;
  let dir: string;

  beforeAll(async () => {
    builtPage();
    dir = await mkdtemp(join(tmpdir(), "netpare-page-"));
    browser = await openChromium();
  });

  afterAll(async () => {
    await browser?.close();
    await rm(dir, { recursive: true, force: true });
  });

  /** The report's page, drawn, with every complaint and every request beyond its own file. */
  async function open(report: Report, width = 1280): Promise<{ page: Page; complaints: string[] }> {
    const file = join(dir, "report.html");
    await writeFile(file, renderHtml(report));
    const page = await browser.newPage({ viewport: { width, height: 900 } });
    const complaints: string[] = [];
    const own = pathToFileURL(file).href;
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => {
      const url = request.url();
      if (url !== own && !url.startsWith("data:")) complaints.push(`request: ${url}`);
    });
    await page.goto(own);
    await page.locator("#trade-off svg text").first().waitFor();
    return { page, complaints };
  }

  it("draws every part without complaint or request", async () => {
    const { page, complaints } = await open(sampleReport());
    expect((await page.locator("h1").textContent())?.replace(/\s+/g, " ")).toBe(
      "ResNet-32 on CIFAR-10: 10.7× smaller, 3.1× faster, −0.4 points",
    );
    expect(await page.locator("h2").allInnerTexts()).toEqual([
      "Accuracy against cost",
      "Before and after",
      "Stages",
      "Training",
      "Layers",
      "How it was measured",
    ]);
    expect(await page.locator("#training svg").count()).toBe(3);
    expect(await page.locator("#layers tbody tr").count()).toBe(32);
    expect(await page.getByText("its outputs are the classes").count()).toBe(1);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it("follows the choice of stage, axis and order", async () => {
    const { page, complaints } = await open(sampleReport());
    await page.locator("#before-after").getByLabel("pruned", { exact: true }).check();
    expect(await page.locator("#before-after td.ratio").first().textContent()).toBe("2.8×");
    await page.getByLabel("Latency, batch 1").check();
    await page.getByText("Latency, batch 1, log scale").waitFor();
    await page.locator("#layers thead").getByRole("button", { name: "Weights" }).click();
    expect(await page.locator("#layers tbody th").first().textContent()).toMatch(/^group3/);
    await page.locator("#layers").getByRole("checkbox").check();
    expect(await page.locator("#layers tbody tr").count()).toBe(79);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it("calls an energy an estimate wherever it shows one, and lists its constants and their source", async () => {
    const { page } = await open(sampleReport());
    const textOf = async (place: string) => (await page.locator(place).textContent())?.replace(/\s+/g, " ");
    expect(await textOf("#before-after")).toContain("Energy per image (estimate)");
    expect(await textOf("#stages table.stages thead")).toContain("Energy(estimate)");
    expect(await textOf("#stages table.stages tbody")).toContain("1.21 kJ(estimate)");
    expect(await textOf("#training")).toContain("energy 1.21 kJ, 287 mJ a step, 2.24 mJ an image (estimate)");
    const method = await textOf("#measured");
    for (const part of [
      "an estimate, not a measurement",
      "4.6 pJ a float32 MAC",
      "160 pJ a byte",
      "Horowitz",
      "ISSCC 2014",
    ])
      expect(method).toContain(part);
    await page.close();
  });

  it("saves the report it was given", async () => {
    const { page } = await open(sampleReport());
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByText("Download report.json").click(),
    ]);
    expect(download.suggestedFilename()).toBe("report.json");
    expect(JSON.parse(await readFile(await download.path(), "utf8"))).toEqual(sampleReport());
    await page.close();
  });

  it("shows hostile text as text", async () => {
    const { page, complaints } = await open(hostileReport());
    expect(await page.evaluate("'pwned' in globalThis || document.images.length > 0")).toBe(false);
    expect(await page.locator("h1").textContent()).toContain("</script><img src=x onerror=");
    expect(complaints).toEqual([]);
    await page.close();
  });

  it("fits a narrow screen, hostile names included", async () => {
    for (const report of [sampleReport(), hostileReport()]) {
      const { page } = await open(report, 400);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(400);
      await page.close();
    }
  });

  it("draws a run with the original only", async () => {
    const sample = sampleReport();
    const file = join(dir, "one.html");
    await writeFile(file, renderHtml({ ...sample, stages: sample.stages.slice(0, 1), trials: [], maxDrop: null }));
    const page = await browser.newPage();
    await page.goto(pathToFileURL(file).href);
    expect(await page.locator("h2").allInnerTexts()).toEqual(["Stages", "Layers", "How it was measured"]);
    await page.close();
  });
});
