/** Gemm and MatMul: dense layers, and in JavaScript what is none. */
import type { ProgramNode } from "../../format/read.ts";
import { attribute, type Build } from "../build.ts";
import { multiply } from "./_multiply.ts";
import { addGemm, addMatMul } from "./gemm.ts";

export function addAnyGemm(build: Build, node: ProgramNode): void {
  if (addGemm(build, node)) return;
  const value = node.inputs[2] ?? -1;
  multiply(build, node, {
    transA: attribute(node, "transA", 0) === 1,
    transB: attribute(node, "transB", 0) === 1,
    alpha: attribute(node, "alpha", 1),
    bias: value < 0 ? undefined : { value, beta: attribute(node, "beta", 1) },
  });
}

export function addAnyMatMul(build: Build, node: ProgramNode): void {
  if (!addMatMul(build, node)) multiply(build, node);
}
