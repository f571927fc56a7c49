import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import * as architecture from './index.ts'

it('the example of the README runs', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const body = /```ts\n([\s\S]*?)```/.exec(readme)![1]!.replace(/^import (\{.*\}) from .*$/m, 'const $1 = architecture')
  const printed: unknown[][] = []
  Function('architecture', 'console', body)(architecture, { log: (...values: unknown[]) => printed.push(values) })
  expect(printed).toEqual([
    ['transformer.h.', 2, ['transformer.wte.weight']],
    ['transformer.h.5.ln_1.weight'],
    [{ model_type: 'gpt2', n_layer: 4, vocab_size: 8 }],
  ])
})
