import { decodedGgmlTypes, encodedGgmlTypes } from '@mk/gguf'
import { dtypes } from '@mk/safetensors'
import * as z from 'zod/mini'

const count = z.int().check(z.nonnegative())
const dtype = z.enum(dtypes)
const delivered = { dtype, shape: z.array(count).check(z.maxLength(16)) }
/** Of a source that reads a file: which place of the tensor's row is its own. */
const placed = { ...delivered, place: count }
const text = z.string()
const hash = z.string().check(z.regex(/^[0-9a-f]{64}$/))
const commit = z.string().check(z.regex(/^[0-9a-f]{40}$/))
const nanoseconds = z.string().check(z.regex(/^-?\d{1,20}$/))
const base64 = z.base64()

/** Sources as `TensorSource` has them, but for the places of files. */
const source: z.ZodMiniType = z.lazy(() =>
  z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('file'), ...placed }),
    z.strictObject({
      kind: z.literal('strided'),
      ...placed,
      elementOffset: count,
      strides: z.array(count).check(z.maxLength(16)),
    }),
    z.strictObject({ kind: z.literal('blocks'), ...placed, type: z.enum(decodedGgmlTypes) }),
    z.strictObject({ kind: z.literal('crop'), ...delivered, source }),
    z.strictObject({ kind: z.literal('halves'), ...delivered, source, heads: z.int().check(z.positive()) }),
    z.strictObject({
      kind: z.literal('lora'),
      ...delivered,
      source,
      a: source,
      b: source,
      scale: z.number(),
      transposed: z.boolean(),
    }),
    z.strictObject({ kind: z.literal('gather'), ...delivered, sources: z.array(source), segments: z.array(segment) }),
    z.strictObject({
      kind: z.literal('packed'),
      ...delivered,
      words: source,
      bits: z.int().check(z.minimum(1), z.maximum(8)),
      along: z.enum(['columns', 'rows']),
      places: z.optional(z.array(count).check(z.maxLength(32))),
      values: codeValues,
    }),
    z.strictObject({
      kind: z.literal('dequantized'),
      ...delivered,
      source,
      scale: z.union([source, z.number()]),
      blockRows: z.int().check(z.positive()),
      blockColumns: z.int().check(z.positive()),
      groups: z.optional(source),
      zero: z.optional(source),
      divides: z.optional(z.literal(true)),
      factor: z.optional(z.number()),
      bias: z.optional(z.union([source, z.number()])),
    }),
    z.strictObject({ kind: z.literal('merged'), ...delivered, stage: text, tensor: text, storedAs: dtype }),
    z.strictObject({ kind: z.literal('values'), ...delivered, base64 }),
  ]),
)

const row = z.strictObject({ source: count, row: count })

const segment = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('copy'), rowCount: count, ...row.shape }),
  z.strictObject({ kind: z.literal('mean'), rowCount: count, of: z.array(row).check(z.minLength(1)) }),
  z.strictObject({ kind: z.literal('mean-of-others'), rowCount: count }),
  z.strictObject({ kind: z.literal('zero'), rowCount: count }),
])

const codeValues = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('integers'), offset: z.number() }),
  z.strictObject({ kind: z.literal('floats'), format: z.enum(['e2m1', 'e4m3', 'e8m0']) }),
  z.strictObject({ kind: z.literal('stored'), table: source }),
])

const input = z.strictObject({ input: count, name: z.optional(text), source })
const inputs = z.array(input).check(z.minLength(1))
const rowWeights = z.array(z.array(z.strictObject({ rowCount: count, weight: z.number() })))
const single = z.union([z.number(), z.boolean(), text])

const products = z.array(z.strictObject({ scale: z.number(), model: count })).check(z.minLength(1))
const change = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('products'), products }),
  z.strictObject({ kind: z.literal('difference'), transposed: z.boolean() }),
  z.strictObject({
    kind: z.literal('task-vectors'),
    transposed: z.boolean(),
    hasBase: z.boolean(),
    modelCount: z.int().check(z.positive()),
    isMoved: z.boolean(),
    method: z.optional(text),
    parameters: z.record(text, z.union([single, z.array(single)])),
    files: z.optional(z.array(text)),
    inputSide: z.optional(z.literal('rows')),
    layerDepth: z.optional(z.number()),
  }),
  z.strictObject({
    kind: z.enum(['knots', 'paired-factors']),
    products,
    modelInputs: z.array(count),
    method: z.optional(text),
    parameters: z.record(text, z.union([single, z.array(single)])),
    layerDepth: z.optional(z.number()),
  }),
])

const operation = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('copy'), input }),
  z.strictObject({
    kind: z.literal('merge'),
    method: z.optional(text),
    base: z.optional(input),
    models: z.array(input),
    parameters: z.record(text, z.union([single, z.array(single)])),
    layerDepth: z.optional(z.number()),
    tensors: z.optional(z.record(text, z.array(input))),
    inputSide: z.optional(z.literal('rows')),
  }),
  z.strictObject({ kind: z.literal('rows'), inputs, weights: rowWeights }),
  z.strictObject({ kind: z.literal('slerp-rows'), inputs, weights: rowWeights, t: z.number() }),
  z.strictObject({ kind: z.literal('factors'), other: text, inputs, change }),
  z.strictObject({ kind: z.literal('other-factor'), of: text }),
])

const rows = z.strictObject({
  type: z.enum(encodedGgmlTypes),
  blockElements: z.int().check(z.positive()),
  blockBytes: z.int().check(z.positive()),
  largest: z.optional(z.number()),
  columns: z.int().check(z.positive()),
  add: z.optional(z.number()),
  runs: z.array(
    z.strictObject({
      rowStart: count,
      rowCount: count,
      byteStart: count,
      interleaveHeads: z.optional(z.int().check(z.positive())),
    }),
  ),
})

/** What tensors are but for names and places; those of stages have no `rows`. */
const kind = z.strictObject({ ...delivered, rows: z.optional(rows), operation })

const plannedInput = z.strictObject({
  label: text,
  folder: z.optional(text),
  stage: z.optional(text),
  parameter: z.optional(text),
  hub: z.optional(z.strictObject({ id: text, commit })),
})

const tensorRow = z.tuple([text, count], count)

const plannedFile = z.discriminatedUnion('format', [
  z.strictObject({
    name: text,
    fileBytes: count,
    format: z.literal('safetensors'),
    metadata: z.record(text, text),
  }),
  z.strictObject({
    name: text,
    fileBytes: count,
    format: z.literal('gguf'),
    pieces: z.array(z.strictObject({ byteStart: count, base64 })),
  }),
])

const plan = z.strictObject({
  version: z.literal(1),
  method: text,
  seed: count,
  inputs: z.array(plannedInput).check(z.minLength(1)),
  stages: z.optional(
    z.array(z.strictObject({ name: text, method: text, inputs: z.array(plannedInput), tensors: z.array(tensorRow) })),
  ),
  files: z.array(plannedFile).check(z.minLength(1)),
  documents: z.array(z.strictObject({ name: text, text })),
  copies: z.array(z.strictObject({ name: text, from: count })),
  notes: z.array(text),
  warnings: z.array(text),
  kinds: z.array(kind),
  tensors: z.array(tensorRow),
})

/** A plan file, but for the marks at its beginning. */
export const planBodySchema = z.strictObject({
  program: text,
  runtime: z.strictObject({ name: text, mode: z.optional(text) }),
  methods: z.array(z.strictObject({ name: text, code: text, module: z.optional(text) })),
  files: z.array(
    z.strictObject({
      path: text,
      bytes: z.optional(count),
      modified: z.optional(nanoseconds),
      changed: z.optional(nanoseconds),
      sample: z.optional(hash),
      hub: z.optional(z.strictObject({ id: text, commit, file: text })),
    }),
  ),
  plan,
})
