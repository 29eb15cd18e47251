/** LRN: `y = x / (bias + alpha/size · Σ x²)^beta` over `size` neighbouring channels (Krizhevsky et al. 2012). */
import type { ProgramNode } from "../../format/read.ts";
import { attribute, type Build } from "../build.ts";
import { oneImage } from "./_window.ts";

export function addLrn(build: Build, node: ProgramNode): void {
  const x = node.inputs[0]!;
  const shape = build.shape(x);
  oneImage(node, shape);
  const y = build.output(node, shape);
  const size = attribute(node, "size", 1);
  const [alpha, beta, bias] = [
    attribute(node, "alpha", 1e-4),
    attribute(node, "beta", 0.75),
    attribute(node, "bias", 1),
  ];
  const channels = shape[1]!;
  const count = build.size(x) / channels;
  const [before, after] = [Math.floor((size - 1) / 2), Math.ceil((size - 1) / 2)];
  const src = build.read(x);
  build.act(
    (memory, from, to) => {
      for (let c = 0; c < channels; c++)
        for (let i = 0; i < count; i++) {
          let sum = 0;
          for (let k = Math.max(0, c - before); k <= Math.min(channels - 1, c + after); k++)
            sum += memory[from / 4 + k * count + i]! ** 2;
          const at = c * count + i;
          memory[to / 4 + at] = memory[from / 4 + at]! / (bias + (alpha / size) * sum) ** beta;
        }
    },
    src,
    build.write(y),
  );
}
