import { readFileSync } from 'node:fs'
import { expect, it, vi } from 'vitest'

it('the example of the README is the one that runs here', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const example = readFileSync(new URL('__fixtures__/readme-example.ts', import.meta.url), 'utf8')
  expect(/```ts\n([\s\S]*?)```/.exec(readme)![1]).toBe(example.replace(/^export .*\n/m, ''))
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  await import('./__fixtures__/readme-example.ts')
  expect(log).toHaveBeenCalledWith('usage', 'there is no file a.txt')
  log.mockRestore()
})
