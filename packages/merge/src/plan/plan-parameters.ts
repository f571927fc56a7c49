import type { MergeConfig } from '@mk/config'
import {
  checkParameterName,
  type MethodDefinition,
  type ParameterDeclaration,
  parameterNames,
  parseParameters,
} from '@mk/methods'
import * as z from 'zod/mini'
import { listParameterNames, type ResolvedParameter, resolveParameter } from '@mk/params'
import type { MergeInputs } from '../open/merge-inputs.ts'
import type { OutputTensor, TensorOrigin } from './list-output-tensors.ts'
import type { ParameterValue } from './merge-plan.ts'
import type { PlanContext } from './plan-context.ts'
import type { ParameterBlocks } from './resolve-slices.ts'

/** Declares what the average of embedding rows under `tokenizer_source` takes, whatever the method. */
export const embeddingSettings: ParameterDeclaration = {
  name: 'tokenizer_source',
  parameters: {
    perModel: { weight: z._default(z.number(), 1).check(z.meta({ byNorm: true })) },
    methodWide: {
      embed_slerp: z._default(z.union([z.boolean(), z.number()]), false),
      t: z._default(z.number(), 0.5).check(z.meta({ usual: { min: 0, max: 1 } })),
    },
  },
}

/** Lists what takes the parameters of a recipe. */
export const usedDeclarations = (
  { tokenizer }: Pick<MergeConfig, 'tokenizer'>,
  methods: readonly MethodDefinition[],
): readonly ParameterDeclaration[] => (tokenizer?.kind === 'average-rows' ? [...methods, embeddingSettings] : methods)

/** Declares what any of several methods takes. */
export const anyOf = (methods: readonly ParameterDeclaration[]): ParameterDeclaration => ({
  name: methods.length === 1 ? methods[0]!.name : `each of ${methods.map(({ name }) => name).join(', ')}`,
  parameters: {
    perModel: Object.assign({}, ...methods.map(({ parameters }) => parameters.perModel)),
    methodWide: Object.assign({}, ...methods.map(({ parameters }) => parameters.methodWide)),
  },
})

/** Notes parameters that no method of the recipe uses. @throws MethodError 'unknown-parameter' for one that no method has */
export function checkParameterNames({ config, methods, options, inputs, notes }: PlanContext): void {
  const used = usedDeclarations(config, methods)
  const method = anyOf(methods)
  const names = new Set(used.flatMap(parameterNames))
  const perModel = new Set(used.flatMap(({ parameters }) => Object.keys(parameters.perModel)))
  const others = [...parameterNames(embeddingSettings), ...[...options.methods.values()].flatMap(parameterNames)]
  const noted = new Set<string>()
  for (const { name, path, level } of listParameterNames(config)) {
    if (names.has(name) && (level === 'general' || perModel.has(name))) continue
    const where = inputs.locate(path)
    if (options.lenient && !others.includes(name)) continue
    checkParameterName(method, name, { others, where })
    if (noted.has(name)) continue
    noted.add(name)
    const code = names.has(name) ? 'ignored-for-one-model' : 'ignored-parameter'
    notes.add({ code, where, parameter: name, method: method.name })
  }
}

/**
 * Resolves what a method (or whatever else is declared like one) takes for one output tensor: method-wide values, and
 * per-model ones as arrays.
 * @param origins what per-model values are looked up for
 * @throws MethodError 'missing-parameter', 'invalid-parameter', with tensor, model and place in the recipe
 */
export function resolveParameters(
  declaration: ParameterDeclaration,
  tensor: OutputTensor,
  origins: readonly TensorOrigin[],
  inputs: Pick<MergeInputs, 'labels' | 'locate'>,
): Readonly<Record<string, ParameterValue>> {
  const { perModel, methodWide } = declaration.parameters
  const given = {
    perModel: origins.map((origin) => valuesOf(Object.keys(perModel), tensor, origin)),
    methodWide: valuesOf(Object.keys(methodWide), tensor, undefined),
  }
  const values = parseParameters(declaration, given, (name, model) => {
    const origin = model === undefined ? undefined : origins[model]!
    const found = findSetting(name, tensor, origin)
    return {
      tensor: tensor.name,
      modelName: origin && inputs.labels[origin.input],
      ...(found === undefined ? { hint: whereToWrite(name, tensor, origin) } : { where: inputs.locate(found.path) }),
    }
  })
  return values as Readonly<Record<string, ParameterValue>>
}

/** Does what `resolveParameters` does, for one tensor after the other. */
export type ParameterResolver = (
  declaration: ParameterDeclaration,
  tensor: OutputTensor,
  origins: readonly TensorOrigin[],
) => Readonly<Record<string, ParameterValue>>

/** Results that are looked through for each tensor: most have what the one before had. */
const mostResults = 8

interface ResolvedBefore {
  readonly declaration: ParameterDeclaration
  readonly depth: number
  readonly blocks: ParameterBlocks
  readonly origins: readonly TensorOrigin[]
  readonly parameters: Readonly<Record<string, ParameterValue>>
}

/** Creates a resolver that gives the same object again where values are looked up by nothing else than before. */
export function createParameterResolver(inputs: Pick<MergeInputs, 'labels' | 'locate'>): ParameterResolver {
  const known: ResolvedBefore[] = []
  return (declaration, tensor, origins) => {
    const { blocks, depth } = tensor
    const found = known.find(
      (before) =>
        before.declaration === declaration &&
        before.depth === depth &&
        before.blocks === blocks &&
        before.origins.length === origins.length &&
        origins.every((origin, index) => isOfModel(origin, before.origins[index]!)),
    )
    if (found !== undefined) return found.parameters
    const parameters = resolveParameters(declaration, tensor, origins, inputs)
    const names = parameterNames(declaration)
    // What a filter gives depends on the tensor's name.
    if ([tensor, ...origins].some((each) => hasFilter(each.blocks, names))) return parameters
    known.unshift({ declaration, depth, blocks, origins, parameters })
    if (known.length > mostResults) known.pop()
    return parameters
  }
}

const isOfModel = (a: TensorOrigin, b: TensorOrigin): boolean => a.input === b.input && a.blocks === b.blocks

const hasFilter = (blocks: ParameterBlocks, names: readonly string[]): boolean =>
  blocks.some((block) => names.some((name) => block?.settings.get(name)?.kind === 'filtered'))

/** Finds where the config gives a setting for a tensor, or for one model's. */
export const findSetting = (
  name: string,
  tensor: OutputTensor,
  origin: TensorOrigin | undefined,
): ResolvedParameter | undefined =>
  resolveParameter(name, (origin ?? tensor).blocks, {
    tensorName: origin?.expectedName ?? tensor.name,
    depth: tensor.depth,
  })

const valuesOf = (names: readonly string[], tensor: OutputTensor, origin: TensorOrigin | undefined) =>
  Object.fromEntries(names.map((name) => [name, findSetting(name, tensor, origin)?.value]))

function whereToWrite(name: string, tensor: OutputTensor, origin: TensorOrigin | undefined): string {
  if ((origin ?? tensor).blocks.some((block) => block?.settings.has(name)))
    return `no filter of '${name}' matches it; add an entry without a filter`
  return `write '${name}' under the ${origin === undefined ? '' : `model's or the `}top level's 'parameters'`
}
