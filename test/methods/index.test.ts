import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { findMethod, methods } from "../../src/methods/index.ts";
import { methodPages } from "./method-pages.ts";

it("lists methods by name, each parameter described", () => {
  const names = methods.map((method) => method.name);
  expect(names).toEqual(names.toSorted());
  for (const { params } of methods)
    for (const [name, field] of Object.entries(params.shape)) expect(field.description, name).toMatch(/^\S/);
});

it("finds a method, and names the nearest where there is none", () => {
  expect(findMethod("distill").name).toBe("distill");
  expect(() => findMethod("prune-chanels")).toThrow("did you mean 'prune-channels'? Methods:");
  expect(() => findMethod("zzz")).toThrow("there is no method 'zzz'. Methods: ");
});

it("stands in docs/methods as `npm run docs:methods` writes it", () => {
  const folder = new URL("../../docs/methods/", import.meta.url);
  const pages = methodPages();
  expect(readdirSync(folder).toSorted()).toEqual([...pages.keys()].toSorted());
  for (const [name, text] of pages) expect(readFileSync(new URL(name, folder), "utf8"), name).toBe(text);
});
