import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openCheckpoint } from '@mk/checkpoint'
import { dtypeBytes, elementCount, layoutFile, parseHeader } from '@mk/safetensors'
import { createSourceReader } from '@mk/source/node'
import { promise } from '../broken-promise.mjs'
import { replaceFile } from '../golden-models.mjs'
import { mutateJson, stringify } from '../mutate-json.mjs'

const fixtures = new URL('../../../../../packages/checkpoint/src/quantization/__fixtures__/', import.meta.url)
const dtypes = ['U8', 'I8', 'I32', 'U32', 'I64', 'F16', 'BF16', 'F32', 'F8_E4M3']
const sizes = [0, 1, 2, 3, 7, 16, 31, 32, 33, 64, 255]

/** Models as libraries quantize them, their settings, shapes, dtypes and small tensors changed: what is opened can be read. */
export const quantizedModels = {
  name: 'quantized-models',
  extension: 'json',
  async open({ folder: work }) {
    const folder = join(work, 'quantized')
    mkdirSync(folder, { recursive: true })
    const bases = readdirSync(fixtures)
      .filter((name) => name.endsWith('.safetensors'))
      .toSorted()
      .map((name) => readFixture(readFileSync(new URL(name, fixtures))))
    return {
      make(random) {
        const { config, tensors } = random.pick(bases)
        const changed = random.chance(0.5) ? tensors : mutateTensors(random, tensors)
        return JSON.stringify({ config: random.chance(0.5) ? mutateJson(random, config) : config, tensors: changed })
      },
      async check(bytes) {
        const { config, tensors } = JSON.parse(bytes.toString())
        replaceFile(folder, 'config.json', stringify(config))
        replaceFile(folder, 'model.safetensors', fileOf(tensors))
        const opened = await openCheckpoint({ path: folder, adapters: [] }, { roots: [work] })
        const reader = createSourceReader()
        try {
          for (const [name, source] of opened.tensors) {
            const count = elementCount(source.shape)
            promise(count < 2 ** 24, `${name} has more elements than its bytes can be`)
            reader.read(source, 0, count, new Uint8Array(count * dtypeBytes(source.dtype)))
          }
        } finally {
          reader.close()
        }
      },
    }
  },
}

/** @param {Buffer} bytes */
function readFixture(bytes) {
  const { tensors, metadata } = parseHeader(bytes, bytes.length)
  return {
    config: JSON.parse(metadata.config),
    tensors: tensors
      .filter(({ name }) => !name.startsWith('expected.'))
      .map(({ name, dtype, shape, byteStart, byteEnd }) => ({
        name,
        dtype,
        shape,
        data: bytes.subarray(byteStart, byteEnd).toString('base64'),
      })),
  }
}

function mutateTensors(random, tensors) {
  const index = random.below(tensors.length)
  const { name, dtype, shape, data } = tensors[index]
  switch (random.pick(['lost', 'renamed', 'resized', 'retyped', 'bytes', 'beside'])) {
    case 'lost':
      return tensors.toSpliced(index, 1)
    case 'renamed':
      return tensors.with(index, { name: name.replace(/[^.]+$/, random.pick(endings)), dtype, shape, data })
    case 'resized': {
      const size = random.below(Math.max(1, shape.length))
      return tensors.with(index, {
        name,
        dtype,
        shape: shape.length === 0 ? [3] : shape.with(size, random.pick(sizes)),
      })
    }
    case 'retyped':
      return tensors.with(index, { name, dtype: random.pick(dtypes), shape, data })
    case 'bytes': {
      const bytes = Buffer.from(data, 'base64')
      if (bytes.length > 0) bytes[random.below(bytes.length)] = random.below(256)
      return tensors.with(index, { name, dtype, shape, data: bytes.toString('base64') })
    }
    default:
      return [...tensors, { name: name.replace(/[^.]+$/, 'weight'), dtype, shape, data }].filter(
        (tensor, at, all) => all.findIndex((other) => other.name === tensor.name) === at,
      )
  }
}

const endings = ['weight', 'scales', 'qweight', 'g_idx', 'weight_scale', 'absmax', 'biases', 'weight_packed', 'SCB']

/** Data that is missing or of another length becomes zeros. */
function fileOf(tensors) {
  const distinct = tensors.filter(({ name }, at) => tensors.findIndex((other) => other.name === name) === at)
  const layout = layoutFile(distinct.map(({ name, dtype, shape }) => ({ name, dtype, shape })))
  const bytes = Buffer.alloc(layout.fileBytes)
  bytes.set(layout.header)
  for (const { name, byteStart, byteEnd } of layout.tensors) {
    const data = Buffer.from(distinct.find((tensor) => tensor.name === name).data ?? '', 'base64')
    bytes.set(data.subarray(0, byteEnd - byteStart), byteStart)
  }
  return bytes
}
