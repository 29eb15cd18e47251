/** Settings that make each architecture small enough for tests; where none are given the defaults are. */
export const smallSettings: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  "vgg-s": { size: 48, width: 0.125, channels: 1 },
  "vgg-16": { width: 0.125 },
  "wide-resnet": { depth: 10, width: 0.5 },
  mlp: { size: 14, units: 32 },
  densenet: { depth: 16, growth: 4 },
  "squeezenet-1.0": { size: 48, width: 0.125, channels: 1 },
  "squeezenet-1.1": { size: 48, width: 0.125, channels: 1 },
  "tiny-darknet": { size: 48, width: 0.25, channels: 1 },
  simplenet: { width: 0.125 },
  "simplenet-310k": { width: 0.25 },
  "fitnet-3": { width: 0.25 },
  "fitnet-4": { width: 0.25 },
  pvanet: { size: 48, width: 0.25, channels: 1 },
};
