/** Small networks that between them hold every form of layer and every family of operators, for mutation. */
import { float, int, ints, string } from "../../src/graph/attributes.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { hashInputs } from "../../src/ops/hashed-weight.ts";
import { TypedBuilder } from "../../src/ops/typed-builder.ts";
import { createRandom } from "../../src/tensor/random.ts";
import { int64s, tensorOf } from "../../src/tensor/tensor.ts";

const random = createRandom(3);

/** A weight, of which `density` is not zero, in `levels` distinct values where that is given. */
function weight(g: TypedBuilder, shape: readonly number[], density = 1, levels = 0): string {
  const draw = () => (levels ? Math.ceil(levels * random.normal()) / levels : random.normal() / 3);
  const values = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () =>
    random.uniform() < density ? draw() : 0,
  );
  return g.initializer("w", tensorOf("float32", shape, values));
}

const scalar = (g: TypedBuilder, value: number) => g.initializer("c", tensorOf("float32", [], [value]));
const list = (g: TypedBuilder, ...values: number[]) => g.initializer("l", int64s(values));

type Body = (g: TypedBuilder, x: string) => string;

const bodies: Readonly<Record<string, readonly [shape: readonly number[], body: Body]>> = {
  residual: [
    [3, 8, 8],
    (g, x) => {
      const same = { pads: ints([1, 1, 1, 1]) };
      const first = g.op("Relu", [g.op("Conv", [x, weight(g, [24, 3, 3, 3], 1, 4), weight(g, [24])], same)]);
      const second = g.op("Conv", [first, weight(g, [24, 24, 3, 3], 0.1), weight(g, [24])], same);
      const sum = g.op("Clip", [g.add(second, first), scalar(g, 0), scalar(g, 6)]);
      const pooled = g.op("GlobalAveragePool", [sum]);
      return g.op("Gemm", [g.op("Flatten", [pooled]), weight(g, [10, 24]), weight(g, [10])], { transB: int(1) });
    },
  ],
  depthwise: [
    [4, 9, 7],
    (g, x) => {
      const wide = g.op("HardSwish", [g.op("Conv", [x, weight(g, [8, 4, 1, 1], 1, 3)])]);
      const deep = g.op("Conv", [wide, weight(g, [8, 1, 3, 3]), weight(g, [8])], {
        group: int(8),
        strides: ints([2, 1]),
        auto_pad: string("SAME_UPPER"),
      });
      const grouped = g.op("Conv", [deep, weight(g, [6, 4, 2, 3])], { group: int(2), dilations: ints([2, 1]) });
      const max = g.op("MaxPool", [grouped], { kernel_shape: ints([2, 2]), strides: ints([2, 2]), ceil_mode: int(1) });
      return g.op("Softmax", [g.op("Flatten", [max])], { axis: int(1) });
    },
  ],
  pools: [
    [4, 8, 8],
    (g, x) => {
      const mean = g.op("AveragePool", [x], {
        kernel_shape: ints([3, 3]),
        strides: ints([2, 2]),
        pads: ints([1, 1, 1, 1]),
        count_include_pad: int(1),
      });
      const most = g.op("LRN", [g.op("MaxPool", [mean], { kernel_shape: ints([2, 2]) })], { size: int(3) });
      const statistics = [
        weight(g, [4]),
        weight(g, [4]),
        weight(g, [4]),
        g.initializer("v", tensorOf("float32", [4], [1, 2, 3, 4])),
      ];
      const normal = g.op("PRelu", [g.op("BatchNormalization", [most, ...statistics]), weight(g, [4, 1, 1])]);
      return g.op("MatMul", [g.op("Flatten", [g.op("GlobalMaxPool", [normal])]), weight(g, [4, 20], 0.2)]);
    },
  ],
  moves: [
    [4, 6, 4],
    (g, x) => {
      const pads = g.op("Pad", [x, list(g, 0, 0, 1, 0, 0, 0, 1, 2)], { mode: string("reflect") });
      const turned = g.transpose(pads, [0, 1, 3, 2]);
      const cut = g.op("Slice", [turned, list(g, -1, 1), list(g, -100, 7), list(g, 3, 2), list(g, -2, 1)]);
      const parts = g.node("Split", [cut, list(g, 1, 3)], 2, { axis: int(1) });
      const joined = g.op("Concat", [parts[1]!, parts[0]!, cut], { axis: int(1) });
      const picked = g.op("Gather", [joined, list(g, 3, -1, 0, 0)], { axis: int(1) });
      const deep = g.op("DepthToSpace", [picked], { blocksize: int(2) });
      const tiled = g.op("Tile", [g.op("SpaceToDepth", [deep], { blocksize: int(2) }), list(g, 1, 1, 2, 1)]);
      return g.op("Unsqueeze", [g.op("Reshape", [tiled, list(g, 0, -1)]), list(g, 2)]);
    },
  ],
  indices: [
    [3, 5],
    (g, x) => {
      const most = g.op("ArgMax", [x], { axis: int(2), keepdims: int(0) });
      const hot = g.op("OneHot", [most, g.initializer("depth", tensorOf("int64", [], [5])), weight(g, [2])]);
      const at = g.initializer("at", tensorOf("int64", [1, 2, 2], [0, 2, -1, 1]));
      const taken = g.op("GatherElements", [hot, at], { axis: int(2) });
      const put = g.op("ScatterElements", [hot, at, taken], { axis: int(2), reduction: string("add") });
      const where = g.initializer("where", tensorOf("int64", [2, 2], [0, 1, 0, 2]));
      return g.op("GatherND", [put, where]);
    },
  ],
  resampling: [
    [3, 4, 5],
    (g, x) => {
      const up = g.op("ConvTranspose", [x, weight(g, [3, 2, 3, 3]), weight(g, [2])], {
        strides: ints([2, 2]),
        pads: ints([1, 1, 1, 1]),
        output_padding: ints([1, 0]),
      });
      const scales = g.initializer("s", tensorOf("float32", [4], [1, 1, 2, 0.5]));
      const near = g.op("Resize", [up, "", scales]);
      return g.op("Resize", [near, "", "", list(g, 1, 2, 7, 9)], {
        mode: string("cubic"),
      });
    },
  ],
  reductions: [
    [4, 5, 6],
    (g, x) => {
      const mean = g.op("ReduceMean", [x], { axes: ints([2, -1]) });
      const spread = g.op("Sqrt", [g.op("ReduceSumSquare", [g.sub(x, mean)], { axes: ints([2, 3]) })]);
      const normal = g.div(g.sub(x, mean), g.op("Max", [spread, scalar(g, 0.1)]));
      const log = g.op("LogSoftmax", [normal], { axis: int(1) });
      return g.op("ReduceSum", [g.op("Softmax", [log], { axis: int(2) }), list(g, 1)], { keepdims: int(0) });
    },
  ],
  elements: [
    [4, 7],
    (g, x) => {
      const less = g.op("Less", [x, weight(g, [4, 1])]);
      const chosen = g.op("Where", [g.op("Not", [less]), g.op("Erf", [x]), g.op("Pow", [x, scalar(g, 2)])]);
      const counted = g.op("Cast", [g.op("Cast", [chosen], { to: int(7) })], { to: int(1) });
      const bounded = g.op("Clip", [counted, g.op("ReduceMin", [x], { keepdims: int(0) }), scalar(g, 1)]);
      const leaky = g.op("LeakyRelu", [g.op("Mean", [bounded, chosen, weight(g, [7])])], { alpha: float(0.2) });
      const size = g.op("Shape", [leaky]);
      return g.op("Expand", [g.op("Elu", [g.op("Mod", [leaky, scalar(g, 2)], { fmod: int(1) })]), size]);
    },
  ],
  binary: [
    [8, 6, 5],
    (g, x) => {
      const signs = (shape: readonly number[], size: number) => {
        const values = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => (random.below(2) ? size : -size));
        return g.initializer("w", tensorOf("float32", shape, values));
      };
      const same = { pads: ints([1, 1, 1, 1]) };
      const share = g.initializer("k", tensorOf("float32", [1, 1, 3, 3], new Array(9).fill(1 / 9)));
      const map = g.op("Conv", [g.op("ReduceMean", [g.op("Abs", [x])], { axes: ints([1]) }), share], same);
      const one = g.mul(g.op("Conv", [g.op("Sign", [x]), signs([8, 8, 3, 3], 0.25)], same), map);
      const statistics = [
        weight(g, [8]),
        weight(g, [8]),
        weight(g, [8]),
        g.initializer("v", tensorOf("float32", [8], [1, 2, 3, 4, 5, 6, 7, 8])),
      ];
      const two = g.op("Conv", [
        g.op("Relu", [g.op("BatchNormalization", [one, ...statistics])]),
        signs([8, 8, 3, 3], 0.1),
      ]);
      const pooled = g.op("Flatten", [g.op("ReduceMean", [two], { axes: ints([2, 3]) })]);
      return g.op("Gemm", [pooled, signs([20, 8], 0.5)], { transB: int(1) });
    },
  ],
  int8: [
    [4, 6, 5],
    (g, x) => {
      const pair = (scale: number, zero: number) => [
        scalar(g, scale),
        g.initializer("z", tensorOf("uint8", [], [zero])),
      ];
      const bytes = (value: string, scale: number, zero: number) => {
        const quantized = g.op("QuantizeLinear", [value, ...pair(scale, zero)]);
        return g.op("DequantizeLinear", [quantized, ...pair(scale, zero)]);
      };
      const weights = (shape: readonly number[]) => {
        const values = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => Math.round(30 * random.normal()));
        const scales = g.initializer("s", tensorOf("float32", [shape[0]!], new Array(shape[0]!).fill(0.01)));
        return g.op("DequantizeLinear", [g.initializer("q", tensorOf("int8", shape, values)), scales], {
          axis: int(0),
        });
      };
      const first = bytes(x, 0.02, 128);
      const wide = g.op("Conv", [first, weights([4, 4, 3, 3]), weight(g, [4])], { pads: ints([1, 1, 1, 1]) });
      const sum = bytes(g.op("Relu", [g.add(bytes(g.op("Relu", [wide]), 0.03, 0), first)]), 0.04, 0);
      const joined = g.op("Concat", [g.op("MaxPool", [sum], { kernel_shape: ints([2, 2]) }), sum].slice(0, 1), {
        axis: int(1),
      });
      const dense = bytes(g.op("Flatten", [bytes(g.op("GlobalAveragePool", [joined]), 0.02, 3)]), 0.02, 3);
      return g.op("Gemm", [dense, weights([5, 4])], { transB: int(1) });
    },
  ],
  hashed: [
    [3, 6, 5],
    (g, x) => {
      const hashed = (shape: readonly number[], counts: readonly number[]) => {
        const values = weight(g, [counts.reduce((a, b) => a + b)], 0.8);
        const hash = hashInputs(shape, counts, random.below(2 ** 32)).map((t) => g.initializer("h", t));
        return g.node("HashedWeight", [values, ...hash], 1, {}, { domain: "netpare" })[0]!;
      };
      const kernels = g.op("InverseDct", [hashed([6, 3, 2, 3], [5, 4, 3, 3, 2, 1])], {}, { domain: "netpare" });
      const maps = g.op("Relu", [g.op("Conv", [x, kernels, weight(g, [6])])]);
      return g.op("Gemm", [g.op("Flatten", [maps]), hashed([5, 90], [40])], { transB: int(1) });
    },
  ],
  steps: [
    [3, 6, 5],
    (g, x) => {
      const steps = (shape: readonly number[]) => {
        const count = shape.reduce((a, b) => a * b, 1);
        const values = Array.from({ length: count }, () => Math.fround(Math.round(200 * random.normal()) * 0.00390625));
        return g.initializer("w", tensorOf("float32", shape, values));
      };
      const maps = g.op("Relu", [g.op("Conv", [x, steps([24, 3, 3, 3]), weight(g, [24])])]);
      return g.op("Gemm", [g.op("Flatten", [maps]), steps([5, 288])], { transB: int(1) });
    },
  ],
  products: [
    [6, 8],
    (g, x) => {
      const q = g.op("MatMul", [x, weight(g, [8, 4])]);
      const scores = g.op("Softmax", [g.op("MatMul", [q, g.transpose(q, [0, 2, 1])])]);
      const seen = g.op("Squeeze", [g.op("MatMul", [scores, x]), list(g, 0)]);
      return g.op("Gemm", [seen, weight(g, [6, 3]), weight(g, [8, 1])], { transA: int(1), alpha: float(0.5) });
    },
  ],
};

/** By name; the batch is dynamic but where a body needs one image. */
export const fuzzNets: ReadonlyMap<string, Graph> = new Map(
  Object.entries(bodies).map(([name, [shape, body]]) => {
    const g = new TypedBuilder(name);
    const one = ["products", "indices", "resampling", "elements", "binary"].includes(name);
    g.output(body(g, g.input("x", "float32", [one ? 1 : "N", ...shape])));
    g.metadata.set("netpare.classes", "a,b,c");
    return [name, g.build()] as const;
  }),
);
