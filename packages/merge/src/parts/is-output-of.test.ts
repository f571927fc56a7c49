import { appendFile, mkdir, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { useFolder, writeLlamas } from '../__fixtures__/models.ts'
import { finishIn, makeParts, planFileIn } from '../__fixtures__/parts.ts'
import { findOutputPlace } from '../output/output-place.ts'
import { isOutputOf } from './is-output-of.ts'

const folder = useFolder()
const path = (name: string) => join(folder.path, name)

test('an output is known again until something of it is not as planned', async () => {
  await writeLlamas(folder.path, { a: {}, b: {} })
  const file = await planFileIn(
    folder.path,
    'merge_method: linear\nmodels: [{model: a}, {model: b}]\nparameters: {weight: 1}\n',
  )
  const out = path('out')
  const place = findOutputPlace(out)
  expect(await isOutputOf(file, place)).toBe(false)
  await makeParts(file, out, 1)
  await finishIn(file, out)
  expect(await isOutputOf(file, place)).toBe(true)
  await appendFile(join(out, 'README.md'), 'More.')
  expect(await isOutputOf(file, place)).toBe(true)

  await mkdir(path('out.partial'))
  expect(await isOutputOf(file, place)).toBe(false)
  await rm(path('out.partial'), { recursive: true })
  const later = new Date(Date.now() + 60_000).toISOString()
  expect(await isOutputOf({ ...file, madeAt: later }, place)).toBe(false)
  await utimes(join(out, 'model.safetensors'), 1, 1)
  expect(await isOutputOf(file, place)).toBe(false)
  await utimes(join(out, 'model.safetensors'), new Date(later), new Date(later))
  expect(await isOutputOf(file, place)).toBe(true)
  await writeFile(join(out, 'config.json'), '{}')
  expect(await isOutputOf(file, place)).toBe(false)
  await rm(join(out, 'config.json'))
  expect(await isOutputOf(file, place)).toBe(false)
})
