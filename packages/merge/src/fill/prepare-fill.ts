import { embeddingNames, headNames, isTied, reviseConfig } from '@mk/architecture'
import type { Checkpoint } from '@mk/checkpoint'
import { parseConfig, type RecipeModel, stringifyYaml } from '@mk/config'
import { counted } from '@mk/errors'
import { builtinMethods } from '@mk/methods'
import type { Dtype } from '@mk/safetensors'
import type { TensorSource } from '@mk/source'
import type { Assembly } from '../assemble/assembly.ts'
import { prepareAssembly } from '../assemble/prepare-assembly.ts'
import { MergeError } from '../errors.ts'
import type { MergeInputs } from '../open/merge-inputs.ts'
import { isFloat, outputDtype, ownDtype } from '../plan/dtypes.ts'
import { listNames } from '../plan/list-names.ts'
import { commonestDtype } from '../plan/plan-documents.ts'
import type { UnplacedTensor } from '../plan/plan-files.ts'
import type { PreparedMerge, PrepareSettings } from '../prepare/prepare-merge.ts'
import { matchNames } from './match-names.ts'

/** A model, and the larger one that its tensors go back into. */
export interface FillRequest {
  readonly whole: RecipeModel
  readonly part: RecipeModel
  /** Where the part lies in the whole; absent: where most of its tensors have a place. */
  readonly prefix?: string
}

/**
 * Plans the larger model with the tensors of the part in the places that they have there, everything else its own: config.json, tokenizer
 * and all small files, too. A tensor keeps the dtype that the larger model has for it, unless the output is to have another.
 * @throws MergeError 'fill-no-place', 'fill-sizes', 'fill-dtypes'; CheckpointError, ConfigError for models that can't be opened
 */
export async function prepareFill(
  { whole, part, prefix }: FillRequest,
  options: PrepareSettings,
): Promise<PreparedMerge> {
  const text = stringifyYaml({ base_model: whole, part, ...(prefix !== undefined && { prefix }) })
  // Both are models of a merge, as far as opening them goes.
  const { config } = parseConfig(
    stringifyYaml({ merge_method: 'passthrough', base_model: whole, models: [{ model: part }] }),
  )
  return prepareAssembly(
    {
      config,
      locate: ([key]) => (key === 'base_model' ? 'the larger model' : 'the part'),
      method: {
        ...builtinMethods.get('passthrough')!,
        summary: 'The tensors of one model in the places that they have in a larger one.',
      },
      recipe: { text },
      assemble: (inputs, withOutput) => fill(inputs, { prefix, asked: outputDtype(withOutput) }),
    },
    options,
  )
}

interface FillFacts {
  readonly prefix: string | undefined
  /** The dtype that floats are to have; undefined: the larger model's. */
  readonly asked: Dtype | undefined
}

/** A tensor of the part in its place. */
interface Replacement {
  readonly name: string
  readonly source: TensorSource
}

function fill(inputs: MergeInputs, { prefix, asked }: FillFacts): Assembly {
  const { labels, checkpoints, donor } = inputs
  const [whole, part] = [checkpoints[donor]!, checkpoints.find((_, index) => index !== donor) ?? checkpoints[donor]!]
  const partIndex = checkpoints.indexOf(part)
  const [wholeLabel, partLabel] = [labels[donor]!, labels[partIndex]!]
  const places = matchNames([...part.tensors.keys()], new Set(whole.tensors.keys()), prefix)
  if (places.size === 0)
    throw new MergeError({
      code: 'fill-no-place',
      part: partLabel,
      whole: wholeLabel,
      names: [...part.tensors.keys()],
      ...(prefix !== undefined && { prefix }),
    })
  const replaced = new Map(
    [...places].map(([name, place]): [string, Replacement] => [place, { name, source: part.tensors.get(name)! }]),
  )
  const notes: string[] = []
  const head = headOfTied(inputs, partIndex, places)
  if (head !== undefined) {
    replaced.set(head.place, head.replacement)
    notes.push(`${partLabel} ties its head to its embedding, which is therefore written as ${head.place}, too`)
  }
  checkFit(replaced, { whole, wholeLabel, partLabel })
  const tensors = [...whole.tensors].map(([name, own]): UnplacedTensor => {
    const replacement = replaced.get(name)
    const source = replacement?.source ?? own
    const input = replacement === undefined ? donor : partIndex
    const dtype = isFloat(own.dtype) ? (asked ?? ownDtype(own, whole)) : own.dtype
    return {
      name,
      dtype,
      shape: own.shape,
      operation: { kind: 'copy', input: { input, name: replacement?.name ?? name, source } },
    }
  })
  const left = [...part.tensors.keys()].filter((name) => !places.has(name))
  const isDequantized = [...whole.tensors.values()].some(({ kind }) => kind === 'dequantized')
  const dtype = asked === undefined && !isDequantized ? undefined : commonestDtype(tensors)
  return {
    tensors,
    config:
      whole.config && reviseConfig(whole.config, { dequantized: isDequantized, ...(dtype !== undefined && { dtype }) }),
    notes: [
      `${counted(places.size, 'tensor')} of ${partLabel} ${places.size === 1 ? 'takes its place' : 'take their places'} in ${wholeLabel}, such as ${[...places][0]!.join(' as ')}; ${counted(tensors.length - replaced.size, 'other')} ${tensors.length - replaced.size === 1 ? 'stays' : 'stay'}`,
      ...notes,
    ],
    warnings:
      left.length === 0
        ? []
        : [
            `${listNames(left)} of ${partLabel} ${left.length === 1 ? 'has' : 'have'} no place in ${wholeLabel}, and ${left.length === 1 ? 'is' : 'are'} left out`,
          ],
  }
}

/** The head of a larger model that has one of its own, where the part has one matrix for head and embedding. */
function headOfTied(
  { checkpoints, layouts, donor }: MergeInputs,
  part: number,
  places: ReadonlyMap<string, string>,
): { readonly place: string; readonly replacement: Replacement } | undefined {
  const { config, tensors } = checkpoints[part]!
  const [embedding] = embeddingNames(layouts[part]!)
  const [place] = headNames(layouts[donor]!)
  const isFilled = [...places.values()].includes(place ?? '')
  if (
    place === undefined ||
    isFilled ||
    embedding === undefined ||
    !places.has(embedding) ||
    !isTied(config, layouts[part])
  )
    return undefined
  return { place, replacement: { name: embedding, source: tensors.get(embedding)! } }
}

/** @throws MergeError 'fill-sizes', 'fill-dtypes' */
function checkFit(
  replaced: ReadonlyMap<string, Replacement>,
  {
    whole,
    wholeLabel,
    partLabel,
  }: { readonly whole: Checkpoint; readonly wholeLabel: string; readonly partLabel: string },
): void {
  const all = [...replaced].map(([place, { name, source }]) => ({
    place,
    name,
    source,
    own: whole.tensors.get(place)!,
  }))
  const others = all.filter(({ source, own }) => source.shape.join() !== own.shape.join())
  if (others.length > 0)
    throw new MergeError({
      code: 'fill-sizes',
      part: partLabel,
      whole: wholeLabel,
      tensors: others.map(({ place, name, source, own }) => ({
        name,
        shape: source.shape,
        place,
        expected: own.shape,
      })),
    })
  const other = all.find(({ source, own }) =>
    isFloat(source.dtype) && isFloat(own.dtype) ? false : source.dtype !== own.dtype,
  )
  if (other === undefined) return
  const { name, place, source, own } = other
  throw new MergeError({ code: 'fill-dtypes', part: partLabel, name, dtype: source.dtype, place, expected: own.dtype })
}
