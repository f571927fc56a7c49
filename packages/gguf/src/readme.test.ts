import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import * as convert from './convert/index.ts'
import * as gguf from './index.ts'
import * as node from './node/index.ts'

it('the example of the README runs', async () => {
  const readme = await fs.readFile(new URL('../README.md', import.meta.url), 'utf8')
  const example = /```ts\n([\s\S]*?)```/.exec(readme)![1]!
  const folder = await fs.mkdtemp(join(tmpdir(), 'gguf-readme-'))
  const body = example
    .replaceAll(/^import (\{.*\}) from .*$/gm, 'const $1 = all')
    .replaceAll("'tiny.gguf'", JSON.stringify(join(folder, 'tiny.gguf')))
  const printed: unknown[] = []
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor
  const log = (...values: unknown[]) => printed.push(...values)
  await AsyncFunction('all', 'console', body)({ ...fs, ...gguf, ...node }, { log })
  expect(printed).toEqual([{ type: 'string', value: 'llama' }, [2, 64]])
  await fs.rm(folder, { recursive: true })
})

it('the example of a conversion runs', async () => {
  const readme = await fs.readFile(new URL('../README.md', import.meta.url), 'utf8')
  const example = readme.split('```ts\n')[2]!.split('```')[0]!
  const printed: unknown[] = []
  const body = example.replaceAll(/^import .*$/gm, '')
  new Function('planConversion', 'ConversionError', 'console', body)(convert.planConversion, convert.ConversionError, {
    log: (value: unknown) => printed.push(value),
  })
  expect(printed).toEqual(['gguf-family'])
})
