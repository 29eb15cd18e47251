import { describe, expect, it } from "vitest";
import { injectReport, renderHtml, scriptSafeJson } from "../../src/report/html.ts";
import { builtPage } from "./built-page.ts";
import { hostileReport, hostileText, sampleReport } from "./fixture.ts";

const template = builtPage();

function embedded(html: string): unknown {
  const block = /<script type="application\/json" id="report-data">(.*?)<\/script>/s.exec(html);
  return JSON.parse(block?.[1] ?? "");
}

function scriptTags(html: string): number {
  return html.match(/<\/?script/gi)?.length ?? 0;
}

describe("the built page", () => {
  it("is one small file that asks for nothing from elsewhere", () => {
    expect(Buffer.byteLength(template)).toBeLessThan(450_000);
    expect(template).not.toMatch(/<(script|img|iframe|link|source)[^>]+(src|href)="(?!data:)/i);
    expect(template).not.toMatch(/@import|url\(\s*["']?https?:/i);
    expect(template).toContain("default-src 'none'");
  });
});

describe("renderHtml", () => {
  it("embeds the report exactly", () => {
    expect(embedded(renderHtml(sampleReport()))).toEqual(sampleReport());
    expect(embedded(renderHtml(hostileReport()))).toEqual(hostileReport());
  });

  it("adds no tag and no comment, whatever the report's text", () => {
    const html = renderHtml(hostileReport());
    expect(scriptTags(html)).toBe(scriptTags(template));
    expect(html).not.toContain("<img");
    expect(html.match(/<!--/g)?.length ?? 0).toBe(template.match(/<!--/g)?.length ?? 0);
    expect(html).not.toContain("\u2028");
  });

  it("takes dollar signs in a report as they are", () => {
    const report = { ...sampleReport(), title: "$& $1 $$ $`" };
    expect(embedded(renderHtml(report))).toEqual(report);
  });
});

describe("injectReport", () => {
  it("refuses a page without its data block", () => {
    expect(() => injectReport("<html></html>", sampleReport())).toThrow(/0 data blocks/);
  });
});

describe("scriptSafeJson", () => {
  it("parses back to the same text without a single <", () => {
    const json = scriptSafeJson({ [hostileText]: hostileText });
    expect(json).not.toContain("<");
    expect(JSON.parse(json)).toEqual({ [hostileText]: hostileText });
  });
});
