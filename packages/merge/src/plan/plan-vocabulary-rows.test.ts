import { builtinMethods } from '@mk/methods'
import type { FileSource } from '@mk/source'
import type { ParameterSetting } from '@mk/config'
import { expect, test } from 'vitest'
import { expectIssue } from '../__fixtures__/merge.ts'
import type { VocabularyRows } from '../open/output-vocabulary.ts'
import type { OutputTensor } from './list-output-tensors.ts'
import { planVocabularyRows } from './plan-vocabulary-rows.ts'

const source = (...shape: number[]): FileSource => ({
  kind: 'file',
  dtype: 'F32',
  shape,
  file: `${shape.join('x')}.safetensors`,
  byteStart: 0,
})
const inputs = { labels: ['a', 'b'], locate: () => 'recipe.yml:1:1' }
const rows: VocabularyRows = {
  kind: 'complete-rows',
  rowCount: 4,
  embeddingRows: [3, 2],
  segments: [
    [
      { kind: 'copy', source: 0, row: 0, rowCount: 3 },
      {
        kind: 'mean',
        rowCount: 1,
        of: [
          { source: 1, row: 1 },
          { source: 0, row: 0 },
        ],
      },
    ],
    [
      { kind: 'copy', source: 1, row: 0, rowCount: 2 },
      { kind: 'zero', rowCount: 1 },
      { kind: 'mean-of-others', rowCount: 1 },
    ],
  ],
}

function tensor(settings: Readonly<Record<string, number | boolean | string>> = {}, vocabularyAxis = 0): OutputTensor {
  const values = new Map(
    Object.entries(settings).map(([name, value]): [string, ParameterSetting] => [name, { kind: 'scalar', value }]),
  )
  const blocks = [{ path: ['parameters'], settings: values }]
  const origin = (input: number) => ({ input, name: 'embed', expectedName: 'embed', blocks })
  return {
    name: 'embed',
    role: 'embedding',
    vocabularyAxis,
    depth: 0,
    method: builtinMethods.get('linear'),
    base: undefined,
    models: [origin(0), origin(1)],
    blocks,
  }
}

const planned = (
  shapes: readonly (readonly number[])[],
  options: { rows?: VocabularyRows; tensor?: OutputTensor; unmerged?: FileSource } = {},
) =>
  planVocabularyRows(
    options.tensor ?? tensor(),
    shapes.map((shape, input) => ({ input, name: 'embed', source: source(...shape) })),
    { rows: options.rows ?? rows, inputs, sourceOf: (input) => (input === 1 ? options.unmerged : undefined) },
  )
const failing = async (...given: Parameters<typeof planned>) => planned(...given)

test('a matrix is gathered from the rows of all models that it needs, each named once', () => {
  expect(
    planned([
      [3, 2],
      [2, 2],
    ]),
  ).toEqual([
    {
      input: 0,
      name: 'embed',
      source: {
        kind: 'gather',
        dtype: 'F32',
        shape: [4, 2],
        sources: [source(3, 2), source(2, 2)],
        segments: [
          { kind: 'copy', source: 0, row: 0, rowCount: 3 },
          {
            kind: 'mean',
            rowCount: 1,
            of: [
              { source: 1, row: 1 },
              { source: 0, row: 0 },
            ],
          },
        ],
      },
    },
    {
      input: 1,
      name: 'embed',
      source: {
        kind: 'gather',
        dtype: 'F32',
        shape: [4, 2],
        sources: [source(2, 2)],
        segments: [
          { kind: 'copy', source: 0, row: 0, rowCount: 2 },
          { kind: 'zero', rowCount: 1 },
          { kind: 'mean-of-others', rowCount: 1 },
        ],
      },
    },
  ])
})

test('tokenizer_source merges rows by weight, none where a model has none', () => {
  const averaged = { ...rows, kind: 'average-rows' } as const
  const withoutMean = {
    ...averaged,
    segments: [
      [
        { kind: 'copy', source: 0, row: 0, rowCount: 3 },
        { kind: 'zero', rowCount: 1 },
      ],
      [
        { kind: 'zero', rowCount: 2 },
        { kind: 'copy', source: 1, row: 0, rowCount: 2 },
      ],
    ],
  } as const
  expect(
    planned(
      [
        [3, 2],
        [2, 2],
      ],
      { rows: withoutMean, tensor: tensor({ weight: 0.5 }) },
    ),
  ).toMatchObject({
    kind: 'rows',
    weights: [
      [
        { rowCount: 3, weight: 0.5 },
        { rowCount: 1, weight: 0 },
      ],
      [
        { rowCount: 2, weight: 0 },
        { rowCount: 2, weight: 0.5 },
      ],
    ],
  })
  expect(
    planned(
      [
        [3, 2],
        [2, 2],
      ],
      { rows: withoutMean, tensor: tensor({ embed_slerp: true, t: 0.25 }) },
    ),
  ).toMatchObject({
    kind: 'slerp-rows',
    t: 0.25,
    weights: [
      [{ weight: 1 }, { weight: 0 }],
      [{ weight: 0 }, { weight: 1 }],
    ],
  })
})

test('a head with other rows than its embedding is refused', async () => {
  const message = await expectIssue(
    failing([
      [3, 2],
      [5, 2],
    ]),
    'vocabulary-rows',
    { model: 'b', shape: [5, 2], rowCount: 2 },
  )
  expect(message).toContain('embed of b is [5, 2] where its embedding has 2 rows')
})

test('a tensor that has the tokens along another axis is refused', async () => {
  await expectIssue(
    failing(
      [
        [1, 3],
        [1, 2],
      ],
      { tensor: tensor({}, 1) },
    ),
    'vocabulary-rows',
    { model: 'a', shape: [1, 3] },
  )
})

test('rows of different lengths are refused', async () => {
  await expectIssue(
    failing([
      [3, 2],
      [2, 4],
    ]),
    'shape-mismatch',
  )
})

test('rows of a model that is not merged come from its own matrix', () => {
  expect(planned([[3, 2]], { unmerged: source(2, 2) })).toMatchObject([
    { input: 0, source: { kind: 'gather', sources: [source(3, 2), source(2, 2)] } },
  ])
})

test('rows of a model without that tensor are refused', async () => {
  await expectIssue(failing([[3, 2]]), 'missing-tensor', { missing: [{ model: 'b', other: 'a', tensors: ['embed'] }] })
})

test.each([{ weight: 'much' }, { weight: Number.NaN }, { embed_slerp: true, t: true }])(
  '%j is no number',
  async (settings) => {
    await expectIssue(
      failing(
        [
          [3, 2],
          [2, 2],
        ],
        { rows: { ...rows, kind: 'average-rows' }, tensor: tensor(settings) },
      ),
      'invalid-parameter',
      { where: 'recipe.yml:1:1' },
    )
  },
)

test('embed_slerp needs exactly two models', async () => {
  const only = tensor({ embed_slerp: true })
  const segments = [[{ kind: 'copy', source: 0, row: 0, rowCount: 4 }]] as const
  await expectIssue(
    failing([[4, 2]], {
      rows: { kind: 'average-rows', rowCount: 4, embeddingRows: [4], segments },
      tensor: { ...only, models: only.models.slice(1) },
    }),
    'model-count',
    { method: 'embed_slerp', found: 1 },
  )
})
