/**
 * VGG-S, also CNN-S (Chatfield et al. 2014, arXiv:1405.3531), the network Levi and Hassner (2015) fine-tuned for emotions:
 * `conv 96@7x7/2, LRN, max 3; conv 256@5x5, max 2; 3 x conv 512@3x3, max 3; dense 4096, 4096, classes`, ReLU after each, pools
 * with ceiling as Caffe has them, dropout 0.5 after the wide dense layers. 102.9 M parameters and 2.64 G MACs at 224x224, 1000 classes.
 *
 * Every channel count and dense width is multiplied by `width` and rounded. Images below 112 pixels would be reduced to nothing:
 * for them the first convolution has stride 1 and both large kernels pad to keep the size (48x48 then ends at 3x3).
 */
import { z } from "zod";
import { Layers } from "./_layers.ts";
import { commonParams, defineArchitecture, dropoutParam, sizeParam, widthParam } from "./define-architecture.ts";

const smallestPublished = 112;

export const vggS = defineArchitecture({
  name: "vgg-s",
  summary: "VGG-S with a width multiplier, for any image size",
  paper: "Chatfield, Simonyan, Vedaldi, Zisserman: Return of the devil in the details, 2014, arXiv:1405.3531",
  params: z.object({
    ...commonParams,
    size: sizeParam(24, 224),
    width: widthParam,
    dropout: dropoutParam(0.5),
  }),
  body({ g, params, random }, image) {
    const layers = new Layers(g, random);
    const wide = (count: number) => Math.max(1, Math.round(count * params.width));
    const small = params.size < smallestPublished;
    const conv = (name: string, x: string, out: number, kernel: number, pad: number, stride = 1) =>
      layers.relu(`${name}/relu`, layers.conv(name, x, { out: wide(out), kernel, pad, stride, bias: true }));
    const dense = (name: string, x: string) =>
      layers.dropout(`${name}/dropout`, layers.relu(`${name}/relu`, layers.dense(name, x, wide(4096))), params.dropout);
    const conv1 = conv("conv1", image, 96, 7, small ? 3 : 0, small ? 1 : 2);
    const norm1 = layers.lrn("norm1", conv1, { size: 5, alpha: 5e-4, beta: 0.75, bias: 2 });
    const conv2 = conv("conv2", layers.maxPool("pool1", norm1, 3, 3, true), 256, 5, small ? 2 : 0);
    let x = layers.maxPool("pool2", conv2, 2, 2, true);
    for (const name of ["conv3", "conv4", "conv5"]) x = conv(name, x, 512, 3, 1);
    const flat = layers.flatten("flatten", layers.maxPool("pool5", x, 3, 3, true));
    return layers.dense("logits", dense("fc7", dense("fc6", flat)), params.classes, "nothing");
  },
});
