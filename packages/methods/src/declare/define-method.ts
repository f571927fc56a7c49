import type { Linalg } from '@mk/linalg'
import type { DenseMatrix, Expression, MatrixSide, Session } from '@mk/tensor'
import type * as z from 'zod/mini'

/** Zod types by parameter name, of `zod` or `zod/mini`. A default makes a parameter optional; `.describe()` is what `--list-methods` prints. */
export type ParameterSchemas = Readonly<Record<string, z.core.$ZodType>>

type Values<S extends ParameterSchemas> = { readonly [K in keyof S]: z.output<S[K]> }
type ValuesPerModel<S extends ParameterSchemas> = { readonly [K in keyof S]: readonly z.output<S[K]>[] }

/** Parameters by name, defaults left out; of a per-model one a value for all models, or a list of one for each. */
export type ExampleParameters<M extends ParameterSchemas, P extends ParameterSchemas> = {
  readonly [K in keyof M]?: z.input<M[K]> | readonly z.input<M[K]>[]
} & { readonly [K in keyof P]?: z.input<P[K]> }

/** The tensors of one output tensor's inputs, as expressions, in the order of the config. */
export interface MethodInputs {
  /** Present if the config has a base model and the method uses one; it is then not among `models`. */
  readonly base: Expression | undefined
  readonly models: readonly Expression[]
}

/** A method's access to one output tensor: what `Session` answers about it, random numbers, and a place for warnings. */
export interface MethodContext extends Session {
  readonly tensorName: string
  /**
   * Where the tensor's layer is in the output: 0 the first, 1 the last or the only one; undefined outside of layers, and where the
   * method doesn't say that it uses it (`usesDepth`).
   */
  readonly layerDepth: number | undefined
  /**
   * The side of a layer's matrix that its inputs meet: 'columns', or 'rows' where it is stored as inputs × outputs. Known where a parameter of
   * `matricesOfFile` has a matrix for it, and of methods with `matrices: 'columns'` that have no parameters of files.
   */
  readonly inputSide: MatrixSide
  /** Gives what the user calls a model, counted from 0 and the base not among them; `model 2` where nothing is known. */
  nameOf(model: number | 'base'): string
  /** Draws a number in [0, 1) for each element, uniform and independent for each model; the same on every runtime, machine and thread count. */
  uniform(modelIndex: number): Expression
  /** Decompositions and products of matrices in memory, which `products` gave, each computed in a thread that is free. */
  readonly linalg: Linalg
  /** Reads what a parameter of `matricesOfFile` stands for. */
  readMatrix(matrix: Expression): Promise<DenseMatrix>
  /** Reports what is unusual but right. Anything that would make the output wrong throws a `MethodError`. */
  warn(message: string): void
}

/** A merge method as data, and its function, which works in stages (docs/decisions/methods-in-stages.md). */
export interface MethodDefinition<
  M extends ParameterSchemas = ParameterSchemas,
  P extends ParameterSchemas = ParameterSchemas,
  Name extends string = string,
> {
  readonly name: Name
  /** One sentence. */
  readonly summary: string
  /** The paper or page that defines the method. */
  readonly reference?: { readonly title: string; readonly url: string }
  /** The use that the method has for `base_model`: 'none' means that it only donates config and tokenizer. */
  readonly base: 'required' | 'optional' | 'none'
  /** The number of models that it takes besides the base. */
  readonly models: { readonly min: number; readonly max?: number }
  /**
   * True: the method merges task vectors and nothing else, so that what is added to the base and to every model is added to the result.
   * Absent: nobody says so.
   */
  readonly ofTaskVectors?: true
  /** 'passthrough': a tensor that only one of the inputs has is copied from it; absent: it is an error. */
  readonly missing?: 'passthrough'
  /**
   * Says that the method works on whole matrices, and of which sides it makes square ones, so that a plan can tell what they take. Tensors of
   * three dimensions that hold the matrices of experts then come one matrix at a time (`countMatrices`). Absent: it works on elements.
   */
  readonly matrices?: 'shorter side' | 'columns'
  readonly parameters: {
    /** Looked up for each model, filters matching the input tensor's name. */
    readonly perModel: M
    /** Looked up once for each output tensor. */
    readonly methodWide: P
  }
  /**
   * Parameters with which the method's tests run it; in a per-model one, one value holds for all models. Together they set
   * what must be set, and make each choice that changes the method's expressions. Absent: only the defaults.
   */
  readonly examples?: readonly ExampleParameters<M, P>[]
  /** Tells whether random numbers are drawn with these parameters, so that the result depends on the seed. Absent: never. */
  readonly draws?: (parameters: Readonly<Record<string, unknown>>) => boolean
  /** Tells whether the result depends on `context.layerDepth` with these parameters. Absent: never. */
  readonly usesDepth?: (parameters: Readonly<Record<string, unknown>>) => boolean
  /** The module that it was loaded from; set where a module is loaded. */
  readonly file?: string
  /** Tells versions of its code apart, so that a merge does not go on with another one; set where a module is loaded. */
  readonly code?: string
  /** @returns one value per element. Per-model parameters arrive as arrays in the order of `models`. */
  merge(
    inputs: MethodInputs,
    parameters: ValuesPerModel<M> & Values<P>,
    context: MethodContext,
  ): Expression | Promise<Expression>
}

/** Declares a merge method; the types of `parameters`, and those of a recipe with the method, follow from the schemas. */
export const defineMethod = <M extends ParameterSchemas, P extends ParameterSchemas, const Name extends string>(
  definition: MethodDefinition<M, P, Name>,
): MethodDefinition<M, P, Name> => definition
