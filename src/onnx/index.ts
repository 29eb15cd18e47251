/** ONNX files to and from graphs. */
export { type DecodeOptions, decodeModel, readOpsets } from "./decode.ts";
export { encodeModel } from "./encode.ts";
export { readModel, writeModel } from "./file.ts";
export { graphOpset, latestOpset, oldestOpset } from "./opset.ts";
export { decodeTensorFile, encodeTensorFile, type NamedTensor, readTensorFile } from "./tensor-file.ts";
