/** ONNX's own domain has two spellings; in memory it is "". */
export function canonicalDomain(domain: string): string {
  return domain === "ai.onnx" ? "" : domain;
}
