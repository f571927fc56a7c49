import { builtinMethods, type MethodDescription } from '@mk/methods'
import { expect, it } from 'vitest'
import { listMethods } from './list-methods.ts'

it('prints every method with its parameters', async () => {
  const text = await listMethods({ json: false, modules: [] })
  for (const name of builtinMethods.keys()) expect(text).toMatch(new RegExp(`^${name}$`, 'm'))
  expect(text).toContain('  t (method-wide, required): Position on the way from the base (0) to the other model (1).')
  expect(text).toContain('  1 model and a base model')
})

it('prints them as JSON', async () => {
  const methods = JSON.parse(await listMethods({ json: true, modules: [] })) as MethodDescription[]
  expect(methods.map(({ name }) => name)).toEqual([...builtinMethods.keys()])
})
