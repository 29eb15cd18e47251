/** All architectures: one line each. */
import { NetpareError } from "../tensor/error.ts";
import type { Architecture } from "./define-architecture.ts";
import { densenet } from "./densenet.ts";
import { facesNet } from "./faces-net.ts";
import { fitnet1, fitnet2, fitnet3, fitnet4 } from "./fitnet.ts";
import { lenet5 } from "./lenet-5.ts";
import { lenet300100 } from "./lenet-300-100.ts";
import { mlp } from "./mlp.ts";
import { pvanet } from "./pvanet.ts";
import { resnet8, resnet20, resnet32, resnet56 } from "./resnet.ts";
import { simplenet, simplenet310k } from "./simplenet.ts";
import { squeezenet10, squeezenet11 } from "./squeezenet.ts";
import { tinyDarknet } from "./tiny-darknet.ts";
import { vgg16 } from "./vgg-16.ts";
import { vggS } from "./vgg-s.ts";
import { wideResnet } from "./wide-resnet.ts";

export { type Architecture, commonParams, defineArchitecture } from "./define-architecture.ts";

/** Every architecture of the zoo. */
export const architectures: readonly Architecture[] = [
  lenet300100,
  lenet5,
  mlp,
  resnet8,
  resnet20,
  resnet32,
  resnet56,
  facesNet,
  vggS,
  vgg16,
  wideResnet,
  densenet,
  squeezenet10,
  squeezenet11,
  tinyDarknet,
  simplenet,
  simplenet310k,
  fitnet1,
  fitnet2,
  fitnet3,
  fitnet4,
  pvanet,
];

/**
 * The architecture called `name`.
 * @throws NetpareError `bad-option` where the zoo has none of that name.
 */
export function findArchitecture(name: string): Architecture {
  const found = architectures.find((architecture) => architecture.name === name);
  if (found) return found;
  const names = architectures.map((architecture) => architecture.name).join(", ");
  throw new NetpareError("bad-option", `'${name}' is no architecture of the zoo; it has ${names}`);
}
