import { expect, it } from 'vitest'
import { formatMethodsTable } from './methods-table.ts'

const parameter = (name: string, more: object = {}) =>
  ({ name, scope: 'per model', required: false, description: '', type: 'number', ...more }) as never

it('has a row for each method, with what its parameters are without being set', () => {
  const parameters = [
    parameter('weight', { required: true }),
    parameter('part', { default: 0.5 }),
    parameter('none'),
    parameter('small', { scope: 'method-wide', default: 1e-8 }),
    parameter('zero', { scope: 'method-wide', default: 0 }),
    parameter('limit', { scope: 'method-wide', default: 1e-3 }),
    parameter('flag', { scope: 'method-wide', default: false }),
  ]
  const own = { summary: 'Does it.', base: 'none', parameters: [] } as const
  expect(
    formatMethodsTable([
      { ...own, name: 'a', base: 'required', models: { min: 1 }, parameters, reference: { title: 'T', url: 'u' } },
      { ...own, name: 'b', models: { min: 2, max: 2 } },
      { ...own, name: 'c', models: { min: 1, max: 2 } },
    ] as never).split('\n'),
  ).toEqual([
    '| method | what it does | models | base | parameters |',
    '| --- | --- | --- | --- | --- |',
    '| `a` | Does it. [T](u) | ≥ 1 | required | each model: `weight`*, `part` 0.5, `none`; all: `small` 1e-8, `zero` 0, `limit` 0.001, `flag` false |',
    '| `b` | Does it. | 2 | unused |  |',
    '| `c` | Does it. | 1 to 2 | unused |  |',
  ])
})
