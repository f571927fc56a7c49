import type { CheckpointLayout } from '@mk/architecture'
import type { TensorSource } from '@mk/source'
import { describe, expect, test } from 'vitest'
import { unchangedVocabulary } from '../open/output-vocabulary.ts'
import { completeRows, cropToCommon, cropToEachOther } from './crop-embeddings.ts'
import type { OutputTensor } from './list-output-tensors.ts'
import type { Operation, PlannedTensorInput } from './merge-plan.ts'
import { NoteList } from './notes.ts'
import type { PlanContext } from './plan-context.ts'
import type { UnplacedTensor } from './plan-files.ts'

const embedding = 'model.embed_tokens.weight'
const head = 'lm_head.weight'
const bias = 'lm_head.bias'
const source = (shape: readonly number[], file = 'f'): TensorSource => ({
  kind: 'file',
  dtype: 'F32',
  shape,
  file,
  byteStart: 0,
})
const of = (input: number, name: string, shape: readonly number[]): PlannedTensorInput => ({
  input,
  name,
  source: source(shape, `file ${input}`),
})
const output = (name: string, role?: OutputTensor['role'], vocabularyAxis: number | undefined = 0): OutputTensor => ({
  name,
  role,
  vocabularyAxis,
  depth: 0,
  method: undefined,
  base: undefined,
  models: [],
  blocks: [],
})

/** Rows of embedding and head that the donor has, and stacks of layers. */
interface Donor {
  readonly rows?: readonly [embedding: number, head: number | undefined]
  readonly layerCounts?: readonly number[]
  readonly namesCutTokens?: boolean
  readonly textParts?: readonly number[]
}

function contextOf({ rows = [8, 8], layerCounts = [2], namesCutTokens = false, textParts = [] }: Donor = {}) {
  const tensors = [
    { name: embedding, role: 'embedding', vocabularyAxis: 0 },
    { name: head, role: 'head', vocabularyAxis: 0 },
    { name: bias, role: 'head-bias', vocabularyAxis: 0 },
    { name: 'other.bias', role: 'head-bias', vocabularyAxis: undefined },
    { name: 'other', role: undefined, vocabularyAxis: 0 },
  ]
  const layout = {
    modules: layerCounts.map((layerCount, index) => ({ layerCount, tensors: index === 0 ? tensors : [] })),
  } as unknown as CheckpointLayout
  const stored = new Map([[embedding, { shape: [rows[0], 4] }]])
  if (rows[1] !== undefined) stored.set(head, { shape: [rows[1], 4] })
  const notes = new NoteList()
  const context = {
    inputs: { labels: ['a', 'b', 'c'], donor: 0, layouts: [layout, layout], checkpoints: [{ tensors: stored }] },
    notes,
    options: { vocabulary: { ...unchangedVocabulary, namesCutTokens } },
    textParts: new Set(textParts),
  } as unknown as PlanContext
  return { context, notes }
}

const copy = (name: string, shape: readonly number[]): UnplacedTensor => ({
  name,
  dtype: 'F32',
  shape,
  operation: { kind: 'copy', input: of(0, name, shape) },
})
const outputs = [output(embedding, 'embedding'), output(head, 'head'), output(bias, 'head-bias'), output('other')]

describe('embedding and head of an output', () => {
  const cut = (tensors: readonly UnplacedTensor[], donor: Donor = {}) => {
    const { context, notes } = contextOf(donor)
    const result = cropToEachOther(context, outputs, tensors)
    return { tensors: result, shapes: result.map(({ shape }) => shape), notes: notes.texts() }
  }
  const told = `${embedding} and ${head} come from models of different vocabularies; both are cut to 5 rows`

  test.each([
    [8, 5],
    [5, 8],
  ])('of %d and %d rows are cut to those that both have, with the bias of the head', (ofEmbedding, ofHead) => {
    const all = [copy(embedding, [ofEmbedding, 4]), copy(head, [ofHead, 4]), copy(bias, [8]), copy('other', [8, 4])]
    const { tensors, shapes, notes } = cut(all)
    expect(shapes).toEqual([[5, 4], [5, 4], [5], [8, 4]])
    for (const { shape, operation } of tensors)
      expect((operation as Extract<Operation, { kind: 'copy' }>).input.source.shape).toEqual(shape)
    expect(notes).toEqual([told])
    expect(tensors[3]).toBe(all[3])
  })

  test('stay as they are where they have as many, where one is missing, or the donor’s own differ', () => {
    const [longer, shorter] = [copy(embedding, [8, 4]), copy(head, [5, 4])]
    for (const tensors of [[longer, copy(head, [8, 4])], [longer], [shorter]])
      expect(cut(tensors).tensors).toBe(tensors)
    const both = [longer, shorter]
    const apart = cut(both, { rows: [8, 6] })
    expect([apart.tensors, apart.notes]).toEqual([both, []])
    expect(cut(both, { rows: [8, undefined] }).shapes).toEqual([
      [5, 4],
      [5, 4],
    ])
  })

  test('are cut without a word where the tokens that lose rows are named', () => {
    const { shapes, notes } = cut([copy(embedding, [8, 4]), copy(head, [5, 4])], { namesCutTokens: true })
    expect([shapes, notes]).toEqual([
      [
        [5, 4],
        [5, 4],
      ],
      [],
    ])
  })

  test('are cut with all that they are merged of; matrices of columns have no rows of tokens', () => {
    const merge: Operation = {
      kind: 'merge',
      base: of(0, embedding, [8, 4]),
      models: [of(1, embedding, [8, 4]), of(2, embedding, [8, 4])],
      parameters: { weight: [1, 1] },
      tensors: { importance: [of(3, embedding, [8, 4])], statistics: [of(4, embedding, [4, 4])] },
    }
    const [cropped] = cut([
      { name: embedding, dtype: 'F32', shape: [8, 4], operation: merge },
      copy(head, [5, 4]),
    ]).tensors
    const operation = cropped!.operation as Extract<Operation, { kind: 'merge' }>
    const shapeOf = ({ source: { shape } }: PlannedTensorInput) => shape
    expect(cropped!.shape).toEqual([5, 4])
    expect([operation.base!, ...operation.models, ...operation.tensors!['importance']!].map(shapeOf)).toEqual(
      Array(4).fill([5, 4]),
    )
    expect(operation.tensors!['statistics']).toEqual(merge.tensors!['statistics'])
    expect([operation.parameters, operation.base!.input]).toEqual([merge.parameters, 0])
  })

  test('have nothing of what a merge lacks', () => {
    const merge: Operation = { kind: 'merge', models: [of(1, embedding, [8, 4])], parameters: {} }
    const [cropped] = cut([
      { name: embedding, dtype: 'F32', shape: [8, 4], operation: merge },
      copy(head, [5, 4]),
    ]).tensors
    expect(Object.keys(cropped!.operation)).toEqual(['kind', 'models', 'parameters'])
  })
})

describe('matrices of several models', () => {
  const crop = (shapes: readonly (readonly number[])[], { namesCutTokens = false, axis = 0 } = {}) => {
    const { context, notes } = contextOf({ namesCutTokens })
    const found = shapes.map((shape, input) => of(input, 'e', shape))
    const cropped = cropToCommon(output('e', 'embedding', axis), found, context)
    return { shapes: cropped.map(({ source: { shape } }) => shape), notes: notes.texts() }
  }

  test('are cut to what all have, along each axis', () => {
    const { shapes, notes } = crop([
      [8, 4],
      [6, 5],
      [6, 4],
    ])
    expect(shapes).toEqual(Array(3).fill([6, 4]))
    expect(notes).toEqual([
      'e of a is cut from [8, 4] to [6, 4], which all models have',
      'e of b is cut from [6, 5] to [6, 4], which all models have',
    ])
  })

  test('are left alone where they don’t have the same number of axes', () => {
    expect(crop([[8, 4], [6]])).toEqual({ shapes: [[8, 4], [6]], notes: [] })
  })

  test('lose named tokens without a note, and others with one', () => {
    const shapes = [
      [8, 4],
      [6, 5],
    ]
    expect(crop(shapes, { namesCutTokens: true }).notes).toEqual([
      'e of b is cut from [6, 5] to [6, 4], which all models have',
    ])
    expect(crop(shapes, { namesCutTokens: true, axis: 1 }).notes).toEqual([
      'e of a is cut from [8, 4] to [6, 4], which all models have',
    ])
  })
})

describe('rows that only the model around a language part has', () => {
  const complete = (donor: Donor, shapes: readonly (readonly number[])[], tensor = output('e', 'embedding')) => {
    const { context, notes } = contextOf(donor)
    const found = shapes.map((shape, input) => of(input, 'e', shape))
    return { found, completed: completeRows(tensor, found, context), notes: notes.texts() }
  }
  const whole: Donor = { layerCounts: [2, 3], textParts: [1, 2] }

  test('complete those of text models', () => {
    const { completed, found, notes } = complete(whole, [
      [8, 4],
      [6, 4],
      [8, 4],
    ])
    expect(completed[0]).toBe(found[0])
    expect(completed[2]).toBe(found[2])
    expect(completed[1]).toMatchObject({ input: 1, name: 'e', source: { kind: 'gather', shape: [8, 4], dtype: 'F32' } })
    expect(completed[1]!.source).toMatchObject({
      sources: [found[1]!.source, found[0]!.source],
      segments: [
        { kind: 'copy', rowCount: 6, source: 0, row: 0 },
        { kind: 'copy', rowCount: 2, source: 1, row: 6 },
      ],
    })
    expect(notes).toEqual(['e of b: rows 6 to 7, which b as a text model lacks, are taken from a'])
  })

  test.each<[string, Donor, readonly number[], OutputTensor?]>([
    ['of a donor of one stack', { ...whole, layerCounts: [2] }, [6, 4]],
    ['of a donor of one stack with layers', { ...whole, layerCounts: [2, 0] }, [6, 4]],
    ['of models that are no text models of it', { ...whole, textParts: [2] }, [6, 4]],
    ['of models that have more rows', whole, [9, 4]],
    ['of models of another width', whole, [6, 5]],
    ['of what has no row for each token', whole, [6, 4], output('e', 'embedding', 1)],
  ])('complete nothing %s', (_, donor, shape, tensor) => {
    const { completed, found, notes } = complete(donor, [[8, 4], shape], tensor)
    expect(completed).toEqual(found)
    expect(notes).toEqual([])
  })

  test('are none where the donor does not have the tensor', () => {
    const { context } = contextOf(whole)
    const found = [of(1, 'e', [6, 4]), of(2, 'e', [8, 4])]
    expect(completeRows(output('e', 'embedding'), found, context)).toBe(found)
  })
})
