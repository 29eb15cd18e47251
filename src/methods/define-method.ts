/**
 * A method is one object in one file: what it is called, which paper it comes from, which parameters it takes, and a pure
 * function from graph to graph. Command-line flags, help, report rows and documentation are made from it.
 */
import type { z } from "zod";
import type { Objective } from "../autodiff/training-step.ts";
import type { Graph } from "../graph/graph.ts";
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
  /**
   * Trains a graph between the rounds of a method that has rounds, for `share` (0..1] of the epochs that the result is trained for, all
   * where left out; undefined where there is no training.
   */
  readonly fineTune?: (graph: Graph, what: string, share?: number) => Promise<Graph>;
  /** Tells how far a long application is. */
  readonly progress: (done: number, total: number, what: string) => void;
}

/** What training a method asks for. */
export type TrainingRecipe = Objective;

/** What applying a method gives. */
export interface Application {
  readonly graph: Graph;
  /** What was done, a sentence each. */
  readonly changes: readonly string[];
  /** What was not done, and why. */
  readonly skipped: readonly { readonly node: string; readonly reason: string }[];
  /** What training it asks for. */
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
  /** Command lines for the help, from the model on. */
  readonly examples?: readonly string[];
  requires(params: z.output<P>): readonly Requirement[];
  /** Pure; the same graph, parameters, samples and seed give the same bytes. */
  apply(graph: Graph, params: z.output<P>, context: MethodContext): Promise<Application>;
}

/** Defines a method. */
export function defineMethod<P extends z.ZodObject>(method: Method<P>): Method<P> {
  return method;
}
