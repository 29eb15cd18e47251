/**
 * The library: everything the command line does, as functions. Graphs are plain readonly data; what changes one returns another.
 * `examples/library.mjs` trains, prunes, quantizes and measures a network with what is exported here.
 */
export {
  analyzeCost,
  type Cost,
  findChannelGroups,
  inferShapes,
  type LayerCost,
  removeChannels,
} from "./analysis/index.ts";
export type { LossInputs, LossTerm, Objective } from "./autodiff/training-step.ts";
export {
  type Augmentation,
  carveValidation,
  type Dataset,
  type OpenDatasetOptions,
  openDataset,
  type Preprocessing,
  readClasses,
  readPreprocessing,
  type Split,
  withClasses,
  withPreprocessing,
} from "./data/index.ts";
export {
  type EnergyEstimate,
  type EnergyMeter,
  type EnergyOptions,
  type EnergySource,
  estimateEnergy,
  type InferenceEnergy,
  measureEnergy,
  openEnergyMeter,
  type TrainingEnergy,
} from "./engine/energy.ts";
export {
  agreementOf,
  type Evaluation,
  type EvaluationOptions,
  evaluateModel,
  type ImageFormat,
  wilsonInterval,
} from "./engine/evaluate.ts";
export {
  describeMachine,
  type LatencyOptions,
  type LatencyResult,
  type Machine,
  measureLatency,
  measurePeakMemory,
  type TimedModel,
} from "./engine/measure.ts";
export { createSamples, type SamplesOptions } from "./engine/samples.ts";
export { openSession, type Session, type SessionOptions } from "./engine/session.ts";
export { type Trained, type TrainingData, type TrainRequest, trainModel } from "./engine/train.ts";
export type { TrainingPoint, TrainingProgress } from "./engine/train-loop.ts";
export { type TrainingOptions, trainingSchema } from "./engine/training-options.ts";
export * as attributes from "./graph/attributes.ts";
export { GraphBuilder } from "./graph/builder.ts";
export { GraphEdit } from "./graph/edit.ts";
export type { Dim, Graph, Node, Value, ValueType } from "./graph/graph.ts";
export {
  type Application,
  defineMethod,
  findMethod,
  type Method,
  type MethodContext,
  methods,
  type Samples,
  type TrainingRecipe,
} from "./methods/index.ts";
export { decodeModel, encodeModel, readModel, writeModel } from "./onnx/index.ts";
export { defineOp, type Operator, type OperatorSpec } from "./ops/define-op.ts";
export { evaluateGraph } from "./ops/evaluate.ts";
export { type Facts, inferFacts } from "./ops/infer.ts";
export { findOp, operators } from "./ops/registry.ts";
export { TypedBuilder } from "./ops/typed-builder.ts";
export { type PassResult, shippingPasses, simplify } from "./passes/index.ts";
export { parseReport, readReport } from "./report/read.ts";
export type { Report, Stage } from "./report/schema.ts";
export type { ArrayOf, DType } from "./tensor/dtype.ts";
export { type ErrorCode, NetpareError } from "./tensor/error.ts";
export { createRandom, type Random } from "./tensor/random.ts";
export { castTensor, type Tensor, tensor, tensorOf, toNumbers } from "./tensor/tensor.ts";
export { type Architecture, architectures, defineArchitecture, findArchitecture } from "./zoo/index.ts";
