import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { useFolder, writeLlamas } from '../__fixtures__/models.ts'
import { planFileIn } from '../__fixtures__/parts.ts'
import { findOutputPlace } from '../output/output-place.ts'
import { openPartFolder, type PartFolder } from './part-folder.ts'
import { openPartRecords } from './part-records.ts'
import { listParts } from './partition.ts'

const folder = useFolder()

test('what a part has finished is said every few seconds, no more often, and in the end', async () => {
  await writeLlamas(folder.path, { a: {}, b: {} })
  const text = 'merge_method: linear\nmodels: [{model: a}, {model: b}]\nparameters: {weight: 1}\n'
  const { id, plan } = await planFileIn(folder.path, text)
  const place = findOutputPlace(join(folder.path, 'out'))
  const [, part] = await listParts({ plan }, 2)
  const of = { part: part!, id, plan, warnings: new Set<string>() }
  const own = part!.tensors.map(({ tensor }) => tensor)
  const records = openPartRecords(place.partial, id)
  const said = async () => (await records.read(part!))?.record
  const output = (await openPartFolder(place, of)) as PartFolder
  const [inSecond, inFirst] = [1, 2].map((results) => ({ results, overflow: 0, inputs: [0, 0] }))
  const now = vi.spyOn(performance, 'now')
  await output.finish(1, inSecond)
  expect(await said()).toBeUndefined()
  now.mockReturnValue(performance.now() + 6000)
  await output.finish(0, inFirst)
  const counted = [
    [own[0], inFirst],
    [own[1], inSecond],
  ]
  expect(await said()).toMatchObject({ finished: own.slice(0, 2), nonFinite: counted })
  await output.finish(2)
  expect(await said()).toMatchObject({ finished: own.slice(0, 2) })
  now.mockRestore()
  expect(await output.suspend()).toBe(3)
  expect(await said()).toMatchObject({ finished: own.slice(0, 3) })

  const next = (await openPartFolder(place, of)) as PartFolder
  expect([...next.finished]).toEqual([0, 1, 2])
  expect(next.nonFinite()).toEqual([
    [0, inFirst],
    [1, inSecond],
  ])
  expect(await next.suspend()).toBe(3)
})
