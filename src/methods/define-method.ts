/**
 * A method is one object in one file: what it is called, which paper it comes from, which parameters it takes, and a pure
 * function from graph to graph. Command-line flags, help, report rows and documentation are made from it.
 */
import type { z } from "zod";
import type { Graph } from "../graph/graph.ts";
import type { TypedBuilder } from "../ops/typed-builder.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Labelled samples on which a method may run graphs; training images, never the test split. */
export interface Samples {
  readonly count: number;
  readonly classes: number;
  /**
   * Runs `graph` batch by batch. Its first input is fed images `(N, C, H, W)`, preprocessed as the model wants them; an input
   * named `targets`, where there is one, the one-hot labels `(N, classes)`. A fixed first dimension fixes the batch size.
   */
  run(graph: Graph, visit: (outputs: ReadonlyMap<string, Tensor>) => void, limit?: number): Promise<void>;
  /** Share of samples whose class the graph's first output names. */
  accuracy(graph: Graph, limit?: number): Promise<number>;
}

/** What a method may use besides the graph and its parameters. */
export interface MethodContext {
  readonly seed: number;
  /** Undefined where the user gave no data. */
  readonly samples: Samples | undefined;
  /** Models named by parameters (a teacher), by parameter name. */
  readonly models: ReadonlyMap<string, Graph>;
  /** Tells how far a long application is. */
  readonly progress: (done: number, total: number, what: string) => void;
}

/** Values by which a loss term is written. */
export interface LossInputs {
  /** The network's input batch `(N, C, H, W)`. */
  readonly images: string;
  /** The student's output before Softmax `(N, classes)`. */
  readonly logits: string;
  /** One-hot or mixed labels `(N, classes)`. */
  readonly targets: string;
}

/** A term of the training loss; `append` emits its nodes and returns a scalar, already weighted. */
export interface LossTerm {
  readonly name: string;
  readonly append: (g: TypedBuilder, inputs: LossInputs) => string;
}

/** What training a method asks for. */
export interface TrainingRecipe {
  /** Terms that stand beside the cross-entropy on labels. */
  readonly terms: readonly LossTerm[];
  /** Weight of the cross-entropy on labels; 1 where left out. */
  readonly labelWeight?: number;
  /** Initializers that stay as they are. */
  readonly frozen?: readonly string[];
}

/** What applying a method gives. */
export interface Application {
  readonly graph: Graph;
  /** What was done, a sentence each. */
  readonly changes: readonly string[];
  /** What was not done, and why. */
  readonly skipped: readonly { readonly node: string; readonly reason: string }[];
  readonly recipe?: TrainingRecipe;
}

/** What a method needs to be there. */
export type Requirement = "data" | "teacher";

export interface Method<P extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  /** One line for lists. */
  readonly summary: string;
  /** Authors, title, year, arXiv number. */
  readonly paper: string;
  /** Each field carries `.describe(…)`, from which flags and documentation are made. */
  readonly params: P;
  readonly requires: (params: z.output<P>) => readonly Requirement[];
  /** Pure; the same graph, parameters, samples and seed give the same bytes. */
  readonly apply: (graph: Graph, params: z.output<P>, context: MethodContext) => Promise<Application>;
}

/** Defines a method. */
export function defineMethod<P extends z.ZodObject>(method: Method<P>): Method<P> {
  return method;
}
