import { expect, it } from "vitest";
import { findMethod, methods } from "../../src/methods/index.ts";

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
