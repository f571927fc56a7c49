import { type LayoutModule, type LayoutTensor } from '@mk/architecture'
import { MergeError } from '../errors.ts'
import type { PlannedModule } from './list-output-tensors.ts'
import type { PlanContext } from './plan-context.ts'
import { describedSource } from './resolve-slices.ts'

/**
 * Checks that layers of different models that come to stand in one stack have the same tensors of the same shapes, as far as each
 * model's own layers are alike: config.json can't say two widths of one stack, whatever the architecture.
 * @throws MergeError 'layers-differ'
 */
export function checkLayers({ inputs }: PlanContext, { slices }: PlannedModule): void {
  // Without a config.json no loader is known, and none that could fail.
  if (inputs.checkpoints[inputs.donor]!.config === undefined) return
  const sources = new Map(slices.map((slice) => describedSource(inputs, slice)).map((source) => [source.input, source]))
  const [first, ...others] = [...sources.values()]
  for (const other of others) {
    const [a, b] = [kindsOf(first!.module), kindsOf(other.module)]
    const [model, otherModel] = [first!, other].map(({ input }) => inputs.labels[input]!) as [string, string]
    if (a.size === 0 || b.size === 0) continue
    const shapes = [...a].flatMap(([template, { tensor }]) => {
      const twin = b.get(template)?.tensor
      if (twin === undefined || tensor === undefined || tensor.shape.join() === twin.shape.join()) return []
      return [
        { model, name: tensor.name, shape: tensor.shape },
        { model: otherModel, name: twin.name, shape: twin.shape },
      ]
    })
    const lacking = [
      { model, other: otherModel, tensors: namesOnlyIn(b, a) },
      { model: otherModel, other: model, tensors: namesOnlyIn(a, b) },
    ].filter(({ tensors }) => tensors.length > 0)
    if (shapes.length > 0 || lacking.length > 0)
      throw new MergeError({ code: 'layers-differ', model, other: otherModel, shapes, lacking })
  }
}

/** What the layers of a model have of one name. */
interface LayerKind {
  readonly isInAll: boolean
  /** The first; undefined where shapes vary between layers. */
  readonly tensor: LayoutTensor | undefined
}

function kindsOf({ tensors, layerCount }: LayoutModule): ReadonlyMap<string, LayerKind> {
  const byTemplate = new Map<string, LayoutTensor[]>()
  for (const tensor of tensors) {
    if (tensor.layer === undefined || tensor.role === 'buffer') continue
    const known = byTemplate.get(tensor.template)
    if (known === undefined) byTemplate.set(tensor.template, [tensor])
    else known.push(tensor)
  }
  const kinds = [...byTemplate].map(([template, [first, ...more]]): [string, LayerKind] => {
    const isUniform = more.every(({ shape }) => shape.join() === first!.shape.join())
    return [template, { isInAll: more.length + 1 === layerCount, tensor: isUniform ? first : undefined }]
  })
  return new Map(kinds)
}

/** What is in every layer of one model and in none of the other: where layers of one model differ in it, config.json has words for that. */
const namesOnlyIn = (some: ReadonlyMap<string, LayerKind>, others: ReadonlyMap<string, LayerKind>): readonly string[] =>
  [...some].flatMap(([template, { isInAll }]) =>
    isInAll && !others.has(template) ? [template.replace(/\{layer(?:\+\d+)?\}/, 'N')] : [],
  )
