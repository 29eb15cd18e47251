/**
 * A perceptron: equally wide dense layers with ReLU between. With one hidden layer of 1,000 units, `784 -> 1000 -> 10`, it is the "3-layer"
 * network that HashedNets compresses, with three of them the "5-layer" one (Chen et al. 2015, arXiv:1504.04788), both with dropout.
 */
import { z } from "zod";
import { Layers } from "./_layers.ts";
import { commonParams, defineArchitecture, dropoutParam, sizeParam } from "./define-architecture.ts";

export const mlp = defineArchitecture({
  name: "mlp",
  summary: "equally wide dense layers",
  paper:
    "Chen, Wilson, Tyree, Weinberger, Chen: Compressing neural networks with the hashing trick, 2015, arXiv:1504.04788",
  params: z.object({
    ...commonParams,
    channels: commonParams.channels.default(1),
    size: sizeParam(8, 28),
    depth: z.int().min(1).max(8).default(1).describe("hidden layers"),
    units: z.int().min(1).max(65536).default(1000).describe("units of a hidden layer"),
    dropout: dropoutParam(0.5),
  }),
  body({ g, params, random }, image) {
    const layers = new Layers(g, random);
    let x = layers.flatten("flatten", image);
    for (let i = 1; i <= params.depth; i++) {
      const active = layers.relu(`fc${i}/relu`, layers.dense(`fc${i}`, x, params.units));
      x = layers.dropout(`fc${i}/dropout`, active, params.dropout);
    }
    return layers.dense("logits", x, params.classes, "nothing");
  },
});
