import type { MergePlan, PlannedTensor } from '@mk/merge'
import { describe, expect, it } from 'vitest'
import { drawValues } from './draw-values.ts'
import { formatPlan } from './format-plan.ts'
import { groupTensors } from './group-tensors.ts'
import { plainScreen } from './style.ts'
import { textWidth } from './wrap-text.ts'

const tensor = (name: string, operation: unknown): PlannedTensor =>
  ({ name, dtype: 'F32', shape: [2, 4], operation }) as unknown as PlannedTensor
const merged = (name: string, parameters: object, from = name) =>
  tensor(name, {
    kind: 'merge',
    base: { input: 0, name: from },
    models: [{ input: 1, name: from }],
    parameters,
  })
const layers = (count: number, name: string, parameters: (layer: number) => object) =>
  Array.from({ length: count }, (_, layer) => merged(`model.layers.${layer}.${name}`, parameters(layer)))
const summary = (tensors: readonly PlannedTensor[]) =>
  groupTensors(tensors).map(({ kind, layers: range, making, tensors: members }) => [
    range === undefined ? '' : `${range.first}–${range.last}`,
    kind,
    making,
    members.length,
  ])

describe('tensors of a plan', () => {
  it('are one group for each kind, in all layers that are made in the same way', () => {
    const of = () => ({ t: 0.5 })
    expect(
      summary([
        merged('lm_head.weight', of()),
        merged('model.embed_tokens.weight', of()),
        ...layers(3, 'self_attn.q_proj.weight', of),
        ...layers(3, 'self_attn.k_proj.weight', of),
        ...layers(3, 'mlp.up_proj.weight', of),
        ...layers(3, 'input_layernorm.weight', of),
        merged('model.norm.weight', of()),
      ]),
    ).toEqual([
      ['', 'embedding', '0 (base), 1', 1],
      ['0–2', 'attention', '0 (base), 1', 6],
      ['0–2', 'MLP', '0 (base), 1', 3],
      ['0–2', 'norm', '0 (base), 1', 3],
      ['', 'head', '0 (base), 1', 1],
      ['', 'norm', '0 (base), 1', 1],
    ])
  })

  it('tell which inputs are files that a parameter names', () => {
    const [a, file] = [
      { input: 0, name: 'a.weight' },
      { input: 1, name: 'a.weight' },
    ]
    const parameters = { importance: ['fisher.safetensors'] }
    const operation = { kind: 'merge', models: [a], parameters, tensors: { importance: [file] } }
    expect(summary([tensor('a.weight', operation)])).toEqual([['', 'other', '0, 1 (importance)', 1]])
    const plan = {
      method: 'fisher',
      seed: 0,
      inputs: [{ label: 'org/a' }, { label: 'fisher.safetensors', parameter: 'importance' }],
      files: [],
      documents: [],
      copies: [],
      tensors: [tensor('a.weight', operation)],
    } as unknown as MergePlan
    expect(formatPlan(plan)).toContain('input 0: org/a\ninput 1: importance fisher.safetensors\n')
  })

  it('are told apart by name where one kind has different values', () => {
    const tensors = [
      ...layers(2, 'self_attn.q_proj.weight', () => ({ t: 0 })),
      ...layers(2, 'self_attn.k_proj.weight', () => ({ t: 1 })),
    ]
    expect(summary(tensors).map(([, kind]) => kind)).toEqual([
      'attention self_attn.q_proj',
      'attention self_attn.k_proj',
    ])
  })

  it('of experts are one group', () => {
    const experts = [0, 1, 2].flatMap((expert) => layers(2, `mlp.experts.${expert}.w1.weight`, () => ({ t: 0 })))
    expect(summary(experts)).toEqual([['0–1', 'experts', '0 (base), 1', 6]])
  })

  it('from other layers name those', () => {
    const copies = [0, 1, 2, 3].map((layer) =>
      tensor(`model.layers.${layer}.mlp.w1.weight`, {
        kind: 'copy',
        input: {
          input: layer < 2 ? 0 : 1,
          name: `model.layers.${layer < 2 ? layer : layer + 4}.mlp.w1.weight`,
          source: { kind: 'file' },
        },
      }),
    )
    expect(summary(copies)).toEqual([
      ['0–1', 'MLP', 'copy of 0', 2],
      ['2–3', 'MLP', 'copy of 1 (its layers 6 to 7)', 2],
    ])
  })
})

describe('values over the layers', () => {
  it.each<[readonly unknown[], string]>([
    [[0.5, 0.5], '0.5'],
    [[0, 0.5, 1], '0 ▁▅█ 1'],
    [[0, 1, 0], '0 ▁█▁ 0 (0 to 1)'],
    [[true, true, false], 'true → false'],
    [[1 / 3, 2 / 3], '0.333 ▁█ 0.667'],
  ])('%j', (values, expected) => expect(drawValues(values)).toBe(expected))

  it('of many layers take no more room than those of a few', () => {
    const drawn = drawValues(Array.from({ length: 200 }, (_, index) => index))
    expect(drawn).toMatch(/^0 ▁.*█ 199$/)
    expect(textWidth(drawn)).toBeLessThan(35)
  })
})

it.each([40, 80, 160])('a plan fits %i columns', (width) => {
  const plan = {
    method: 'slerp',
    seed: 0,
    inputs: [{ label: 'org/a', hub: { id: 'org/a', commit: 'c'.repeat(40) } }, { label: 'org/b' }],
    files: [{ name: 'model.safetensors', fileBytes: 8e9 }],
    documents: [{ name: 'config.json' }],
    copies: Array.from({ length: 12 }, (_, index) => ({ name: `file-${index}.json` })),
    tensors: layers(40, 'mlp.up_proj.weight', (layer) => ({ t: layer / 39, weight: [layer, 1], lambda: 1 })),
  } as unknown as MergePlan
  const text = formatPlan(plan, {
    awaited: [{ id: 'org/a', byteCount: 4e9 }],
    screen: { width, style: plainScreen.style },
  })
  const wide = text.split('\n').filter((line) => textWidth(line) > width)
  expect(wide.filter((line) => line.trim().includes(' '))).toEqual([])
  expect(text).toContain('everywhere: lambda 1')
  expect(text).toMatch(/^method slerp: 40 tensors, 1\.28 kB$/m)
  expect(text.replaceAll(/\s+/g, ' ')).toContain('to be downloaded: 4.00 GB (org/a 4.00 GB)')
  expect(text.replaceAll(/\s+/g, ' ')).toContain('and 5 more (-v lists all)')
})
