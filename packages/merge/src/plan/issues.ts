import { counted, defineIssues, usage } from '@mk/errors'
import { listNames } from './list-names.ts'

export interface InRecipe {
  /** 'file:line:column' of what has to be mended. */
  readonly where: string
}

export interface LayerRange extends InRecipe {
  readonly model: string
  readonly range: readonly [number, number]
  readonly layerCount: number
}

export interface ShapedTensor {
  readonly model: string
  readonly name: string
  readonly shape: readonly number[]
}

/** Layers that no config.json makes readable in their new places. */
export interface UnreadableStack {
  readonly path: string
  readonly layers: readonly {
    readonly place: number
    readonly layer: number
    readonly model: string
    readonly missing: readonly string[]
    readonly shapes: readonly string[]
  }[]
  /** Tensors outside the layers that have a part for each. */
  readonly partByLayer: readonly string[]
  /** Settings of config.json from which follows by a layer's number what it is. */
  readonly settings: readonly string[]
}

/** Says why a stack can't be read. */
export function sayUnreadable({ path, layers, partByLayer, settings }: UnreadableStack): string {
  const [first] = layers
  const reasons = partByLayer.map((name) => `${name} has a part for each layer, and these would be other ones`)
  if (first !== undefined) {
    const { missing, shapes } = first
    const what = missing.length > 0 ? `lacks ${firstNames(missing)}` : `has ${firstNames(shapes)} in another shape`
    const others = layers.length === 1 ? '' : ` (and so on for ${layers.length - 1} more)`
    const by = settings.length === 0 ? 'by its number alone' : `by its number (${settings.join(', ')})`
    reasons.unshift(
      `layer ${first.place} would be layer ${first.layer} of ${first.model}, which ${what}, while loaders tell ${by} what the layer in this place has${others}`,
    )
  }
  return `no loader could read the layers of ${path} in this order: ${reasons.join('; ')}`
}

/** A recipe and inputs that don't fit together. */
export const planRules = defineIssues({
  'missing-tensor': usage<{
    readonly missing: readonly { readonly model: string; readonly other: string; readonly tensors: readonly string[] }[]
    /** Whether the recipe's `missing` could help with any of them. */
    readonly hasWayOut: boolean
  }>(
    ({ missing, hasWayOut }) =>
      `${missing.map(({ model, other, tensors }) => `${model} lacks ${listNames(tensors)}, which ${other} has`).join('; ')}; expected all models to have the same${hasWayOut ? ` ('missing: base' in the recipe takes what the base has, 'missing: skip' leaves out what no layer needs, 'missing: others' merges what the others have)` : ', since embeddings and heads are never left out'}`,
  ),
  'parameter-tensor-missing': usage<
    InRecipe & { readonly parameter: string; readonly file: string; readonly model: string; readonly name: string }
  >(
    ({ where, parameter, file, model, name }) =>
      `${where}: ${file} has no tensor ${name}, which ${parameter} needs for ${model}; expected a tensor for each that is merged, of the same name`,
  ),
  'parameter-tensor-shape': usage<
    InRecipe & {
      readonly parameter: string
      readonly file: string
      readonly model: string
      readonly name: string
      readonly found: readonly number[]
      readonly shape: readonly number[]
    }
  >(
    ({ where, parameter, file, model, name, found, shape }) =>
      `${where}: ${name} of ${file} is ${bracketed(found)}; expected ${bracketed(shape)} as in ${model}, whose ${parameter} it is`,
  ),
  'other-names': usage<{
    readonly model: string
    readonly donor: string
    readonly names: readonly string[]
    readonly donorNames: readonly string[]
  }>(
    ({ model, donor, names, donorNames }) =>
      `the tensors of ${model} have other names than those of ${donor}, so that no layers correspond: ${donor} has ${listNames(donorNames)}, … where ${model} has ${names.length === 0 ? 'no layers' : `${listNames(names)}, …`}; expected the same names (save one of them with the version of its library that the other was saved with)`,
  ),
  'layers-differ': usage<{
    readonly model: string
    readonly other: string
    /** In pairs: a tensor of each model. */
    readonly shapes: readonly ShapedTensor[]
    readonly lacking: readonly { readonly model: string; readonly other: string; readonly tensors: readonly string[] }[]
  }>(({ model, other, shapes, lacking }) => {
    const found = [
      ...shapes.slice(0, 6).map(({ model, name, shape }) => `${name} of ${model} is ${bracketed(shape)}`),
      ...(shapes.length > 6 ? [`and ${shapes.length / 2 - 3} more shapes differ`] : []),
      ...lacking.map(({ model, other, tensors }) => `${model} lacks ${firstNames(tensors)}, which ${other} has`),
    ]
    return `layers of ${model} and ${other} don't fit into one stack, which no loader could read: ${found.join(', ')}`
  }),
  'stack-unreadable': usage<{ readonly stacks: readonly UnreadableStack[] }>(({ stacks }) =>
    stacks.map(sayUnreadable).join('; '),
  ),
  'shape-mismatch': usage<{ readonly tensors: readonly ShapedTensor[] }>(
    ({ tensors }) =>
      `shapes differ: ${tensors.map(({ model, name, shape }) => `${name} of ${model} is ${bracketed(shape)}`).join(', ')}`,
  ),
  'matrix-too-large': usage<{
    readonly name: string
    readonly shape: readonly number[]
    readonly method: string
    readonly size: number
    readonly most: number
  }>(
    ({ name, shape, method, size, most }) =>
      `${name} is ${bracketed(shape)}, of which ${method} would hold square matrices of ${size} × ${size}; expected at most ${most}; give the tensor another method, by a filter`,
  ),
  'vocabulary-rows': usage<ShapedTensor & { readonly rowCount: number }>(
    ({ model, name, shape, rowCount }) =>
      `a tokenizer setting needs an embedding and a head with a row per token, but ${name} of ${model} is ${bracketed(shape)} where its embedding has ${rowCount} rows`,
  ),
  'layer-range': usage<LayerRange>(
    ({ where, range, model, layerCount }) =>
      `${where}: layer_range ${bracketed(range)} goes past the end: ${model} has ${counted(layerCount, 'layer')}${layerCount > 0 ? ` (0 to ${layerCount - 1}; the end is exclusive)` : ''}`,
  ),
  'empty-slice': usage<InRecipe & { readonly range: readonly [number, number] }>(
    ({ where, range }) =>
      `${where}: layer_range is ${bracketed(range)}, which holds no layer; that is of use only in the first or the last of several slices, for the tensors before or after the layers`,
  ),
  'slice-lengths': usage<
    InRecipe & { readonly lengths: readonly { readonly model: string; readonly length: number }[] }
  >(
    ({ where, lengths }) =>
      `${where}: the sources of a slice must have equally many layers, found ${lengths.map(({ model, length }) => `${length} of ${model}`).join(', ')}`,
  ),
  'unknown-module': usage<
    InRecipe & { readonly module: string; readonly model?: string; readonly known: readonly string[] }
  >(
    ({ where, module, model, known }) =>
      `${where}: ${model === undefined ? 'the models have' : `${model} has`} no module '${module}', only ${quotedNames(known)}`,
  ),
  'module-twice': usage<InRecipe & { readonly module: string; readonly names: readonly string[] }>(
    ({ where, module, names }) =>
      `${where}: ${quotedNames(names, ' and ')} are the same module, '${module}'; name it once`,
  ),
  'ambiguous-module': usage<InRecipe & { readonly known: readonly string[] }>(
    ({ where, known }) =>
      `${where}: the models have several stacks of layers, so slices must be given per module: write 'modules:' with ${quotedNames(known)}`,
  ),
  'mixed-architectures': usage<{
    readonly families: readonly { readonly model: string; readonly family: string }[]
    /** A text model that fits the language part of another. */
    readonly fittingText?: string
  }>(
    ({ families, fittingText }) =>
      `the models are of different architectures: ${families.map(({ model, family }) => `${model} is ${family}`).join(', ')}; ${
        fittingText === undefined
          ? 'expected one for all'
          : `write 'missing: base' into the recipe to merge ${fittingText} with the language part that it fits and keep the rest as it is`
      }`,
  ),
})

const firstNames = (names: readonly string[]) =>
  `${listNames(names.slice(0, 4))}${names.length > 4 ? ` and ${names.length - 4} more` : ''}`
const bracketed = (numbers: readonly number[]) => `[${numbers.join(', ')}]`
const quotedNames = (names: readonly string[], separator = ', ') => names.map((name) => `'${name}'`).join(separator)
