/** Data sets and the batches drawn from them. */
export { type Augmentation, augmentationSchema } from "./augmentation.ts";
export {
  type Batcher,
  type BatcherOptions,
  batchIndices,
  createBatcher,
  epochOrder,
  type LabelBuffer,
  type MixLabels,
} from "./batches.ts";
export { CIFAR10_CLASSES, readCifar10 } from "./cifar10.ts";
export { type Dataset, requireClasses, type Split } from "./dataset.ts";
export { type ContactSheet, type ContactSheetOptions, contactSheet, writeContactSheet } from "./faces/contact-sheet.ts";
export { createFaces, createFacesInTurns, type FacesOptions } from "./faces/create-faces.ts";
export { createFacePainter, drawFace, type FaceFormat, type FacePainter } from "./faces/draw-face.ts";
export { EXPRESSIONS, type Expression } from "./faces/expression.ts";
export { FASHION_MNIST_CLASSES, MNIST_CLASSES, readIdxDataset } from "./idx.ts";
export { type ImageFolderOptions, readImageFolder } from "./image-folder.ts";
export { createLeaves, type LeavesOptions } from "./leaves/create-leaves.ts";
export { DATASET_GRAMMAR, type OpenDatasetOptions, openDataset } from "./open-dataset.ts";
export {
  normalizeBy,
  type Preprocessing,
  preprocessingSchema,
  readClasses,
  readPreprocessing,
  withClasses,
  withPreprocessing,
} from "./preprocessing.ts";
export {
  carveValidation,
  computeLumaMoments,
  computeMoments,
  type Moments,
  selectSplit,
  stratify,
  takeSplit,
} from "./split.ts";
