import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bundlers } from './bundlers.mjs'
import { mergeByBundle, mergeHere } from './merge-by-server.mjs'

// The others take longer: npm run test:bundles.
let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bundles-'))
  await bundlers.esbuild(folder)
})
afterAll(() => rmSync(folder, { recursive: true }))

test('a server bundled by esbuild merges without node_modules, with worker threads and without, the same bytes', async () => {
  const merged = await mergeHere()
  expect(Object.keys(merged)).toContain('model.safetensors')
  expect(await mergeByBundle(folder)).toEqual([merged, merged])
})
