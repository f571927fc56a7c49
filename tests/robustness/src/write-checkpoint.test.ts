import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseHeader } from '@mk/safetensors'
import { expect, test } from 'vitest'
import { writeCheckpoint } from './write-checkpoint.mjs'

test('a written checkpoint can be read, and has numbers of the size of weights', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mk-checkpoint-'))
  writeCheckpoint(folder, { megabytes: 1, seed: 3, layerCount: 2 })
  const bytes = readFileSync(join(folder, 'model.safetensors'))
  rmSync(folder, { recursive: true })
  const { tensors, headerBytes } = parseHeader(bytes, bytes.length)
  expect(tensors).toHaveLength(8)
  expect(bytes.length / 2 ** 20).toBeCloseTo(1, 1)
  const magnitudes = Array.from(
    { length: (bytes.length - headerBytes) / 2 },
    (_, index) => bytes.readUInt16LE(headerBytes + 2 * index) & 0x7fff,
  )
  expect(magnitudes.filter((magnitude) => magnitude < 0x3880 || magnitude >= 0x3d00)).toEqual([])
})
