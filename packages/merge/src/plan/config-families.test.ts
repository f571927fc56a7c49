import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { describeCheckpoint } from '@mk/architecture'
import { expect, test } from 'vitest'
import {
  fixtureText,
  type TransformersFamily,
  transformersFamilies,
} from '../../../architecture/src/__fixtures__/transformers-configs.ts'
import { expectIssue, planIn } from '../__fixtures__/merge.ts'
import { useFolder, writeModel } from '../__fixtures__/models.ts'
import type { MergePlan } from './merge-plan.ts'

const folder = useFolder()

/** JSON with every number as its spelling: to Python 0.0 is another thing than 0. */
type Spelled = { [key: string]: Spelled } | readonly Spelled[] | string | boolean | null
const parseSpelled = (text: string) =>
  JSON.parse(
    text.replace(/"(?:[^"\\]|\\.)*"|-?(?:Infinity|\d[\d.eE+-]*)|NaN/g, (token) =>
      token.startsWith('"') ? token : `"number ${token}"`,
    ),
  ) as Record<string, Spelled>
const spelled = parseSpelled(fixtureText)['families'] as Record<string, Record<string, Record<string, Spelled>>>

/** Two copies of a family's model; config.json is as Python wrote it. */
async function writeTwins({ family, config, tensors }: TransformersFamily): Promise<void> {
  const text = JSON.stringify(spelled[family]!['config']).replaceAll(/"number ([^"]*)"/g, '$1')
  await writeModel(join(folder.path, 'a'), {
    config,
    tensors: Object.fromEntries(tensors.map(({ name, shape }) => [name, { shape }])),
    files: { 'config.json': text },
  })
  await cp(join(folder.path, 'a'), join(folder.path, 'b'), { recursive: true })
}

const configOf = ({ documents }: MergePlan) => parseSpelled(documents.find(({ name }) => name === 'config.json')!.text)

function withChanges(config: Record<string, Spelled>, changes: Record<string, Spelled>): Record<string, Spelled> {
  const revised = structuredClone(config)
  for (const [path, value] of Object.entries(changes)) {
    const keys = path.split('.')
    let part = revised
    for (const key of keys.slice(0, -1)) part = part[key] as Record<string, Spelled>
    part[keys.at(-1)!] = value
  }
  return revised
}

test.each(transformersFamilies)(
  'config.json of merged and of stacked $family is what transformers reads',
  async (family) => {
    const { config, tensors, stacks } = family
    await writeTwins(family)
    const original = spelled[family.family]!['config']!
    const linear = 'merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a}, {model: b}]'
    expect(configOf(await planIn(folder.path, linear))).toEqual(original)

    const { modules } = describeCheckpoint(tensors, config)
    for (const [name, { path, unfit }] of Object.entries(stacks)) {
      const module = modules.find(({ layerPrefix }) => layerPrefix === `${path}.`)!
      const slices = 'slices: [{sources: [{model: a}]}, {sources: [{model: b}]}]'
      const recipe = `merge_method: passthrough\nmodules: {${module.names[0]!}: {${slices}}}`
      const isRefused = unfit !== undefined && unfit.missing.length + Object.keys(unfit.shapes).length > 0
      if (isRefused) await expectIssue(planIn(folder.path, recipe), 'stack-unreadable')
      const plan = await planIn(folder.path, recipe, { allowMixedArchitectures: isRefused })
      const { changes } = spelled[family.family]!['stacks']![name] as { readonly changes: Record<string, Spelled> }
      expect([name, configOf(plan)]).toEqual([name, withChanges(original, changes)])
      const isNamed = plan.notes.some((note) => /other than layers|no loader could read/.test(note))
      expect([name, isNamed]).toEqual([name, unfit !== undefined])
    }
  },
)
