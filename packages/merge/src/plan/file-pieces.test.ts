import { expect, test } from 'vitest'
import { listDataFiles } from './file-pieces.ts'
import type { PlannedTensor } from './merge-plan.ts'

test('the headers of all files are made by going through the tensors once, however many files there are', () => {
  const [fileCount, perFile] = [50, 3]
  let asked = 0
  const tensors = Array.from({ length: fileCount * perFile }, (_, index) => ({
    name: `t${index}`,
    dtype: 'F32' as const,
    shape: [2],
    byteStart: 0,
    get file() {
      asked++
      return index % fileCount
    },
  })) as unknown as PlannedTensor[]
  const files = Array.from({ length: fileCount }, (_, index) => ({
    name: `f${index}`,
    fileBytes: 0,
    format: 'safetensors' as const,
    metadata: {},
  }))
  const listed = listDataFiles({ tensors, files })
  const headers = listed.map(({ pieces }) => new TextDecoder().decode(pieces()[0]!.bytes))
  expect(asked).toBe(tensors.length)
  expect(headers[7]).toContain('"t57"')
  expect(headers.map((text) => text.match(/"t\d+"/g)!.length)).toEqual(files.map(() => perFile))
})
