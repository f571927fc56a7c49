import * as fs from 'node:fs/promises'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import * as source from './index.ts'
import * as node from './node/index.ts'

it('the example of the README runs', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'source-readme-'))
  const file = join(folder, 'tiny.bin')
  const example = /```ts\n([\s\S]*?)```/.exec(await readFile(new URL('../README.md', import.meta.url), 'utf8'))![1]!
  const body = example
    .replace(/^import (\{.*\}) from .*$/gm, 'const $1 = exports')
    .replaceAll("'tiny.bin'", JSON.stringify(file))
  const printed: unknown[] = []
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor
  await AsyncFunction(
    'exports',
    'console',
    body,
  )({ ...fs, ...source, ...node }, { log: (...values: unknown[]) => printed.push(...values) })
  expect(printed).toEqual([[file], Float32Array.of(2, 4, 5)])
  await rm(folder, { recursive: true })
})
