import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { expectIssue } from '../__fixtures__/merge.ts'
import { useFolder } from '../__fixtures__/models.ts'
import { findComplete, removeLeftovers, restoreReplaced } from './leftovers.ts'
import { findOutputPlace, type OutputPlace } from './output-place.ts'
import { publish } from './publish.ts'

const folder = useFolder()
let out: string
let place: OutputPlace
let complete: string
beforeEach(() => {
  out = join(folder.path, 'out')
  place = findOutputPlace(out)
  complete = join(folder.path, '.out.partial-complete-1')
})

async function fill(path: string, ...names: readonly string[]): Promise<string> {
  await mkdir(path, { recursive: true })
  for (const name of names) await writeFile(join(path, name), 'new')
  return path
}

async function putOld(): Promise<void> {
  await mkdir(out)
  await writeFile(join(out, 'config.json'), 'old')
}

test.each([
  ['missing', false],
  ['missing', true],
  ['empty', false],
  ['empty', true],
])('takes the place of one that is %s (overwrite: %s)', async (state, overwrite) => {
  if (state === 'empty') await mkdir(out)
  await publish(place, await fill(complete, 'config.json', 'journal.json'), { overwrite })
  expect([await readdir(folder.path), await readdir(out)]).toEqual([['out'], ['config.json']])
})

test('replaces a folder with files only when asked', async () => {
  await putOld()
  await fill(complete, 'config.json')
  await expectIssue(publish(place, complete, { overwrite: false }), 'output-exists')
  expect(await readFile(join(out, 'config.json'), 'utf8')).toBe('old')
  await publish(place, complete, { overwrite: true })
  await removeLeftovers(place, () => {})
  expect(await readFile(join(out, 'config.json'), 'utf8')).toBe('new')
  expect(await readdir(folder.path)).toEqual(['out'])
})

test('replaces a folder again where what it replaced before is still there', async () => {
  await putOld()
  for (const text of ['one', 'two']) {
    await fill(complete, 'config.json')
    await writeFile(join(complete, 'config.json'), text)
    await publish(place, complete, { overwrite: true })
    expect(await readFile(join(out, 'config.json'), 'utf8')).toBe(text)
  }
  expect((await readdir(folder.path)).filter((name) => name.startsWith('.out.replaced-'))).toHaveLength(2)
})

test('does not replace what came to its place meanwhile and is no output', async () => {
  await fill(complete, 'config.json')
  await fill(out, 'thesis.txt')
  await expectIssue(publish(place, complete, { overwrite: true }), 'output-strangers', { names: ['thesis.txt'] })
  expect([await readdir(out), await readdir(complete)]).toEqual([['thesis.txt'], ['config.json']])
})

test('names eight of the files in its way, and counts the others', async () => {
  await fill(complete, 'config.json')
  await fill(out, ...Array.from({ length: 8 }, (_, index) => `${index}.txt`))
  const refused = () => publish(place, complete, { overwrite: true })
  await expect(refused()).rejects.toThrow(/'6\.txt', '7\.txt'; move them away/)
  await fill(out, '8.txt')
  await expect(refused()).rejects.toThrow(/'6\.txt', '7\.txt' and 1 more; move them away/)
})

test('puts the old folder back where the new one can’t take its place', async () => {
  await putOld()
  await expectIssue(publish(place, join(folder.path, 'nowhere'), { overwrite: true }), 'output-unwritable')
  expect(await readFile(join(out, 'config.json'), 'utf8')).toBe('old')
  expect(await readdir(folder.path)).toEqual(['out'])
})

test('is content where another process has just done the last step', async () => {
  await fill(complete, 'config.json')
  await publish(place, complete, { overwrite: false, beforeLast: () => rename(complete, out) })
  expect(await readdir(out)).toEqual(['config.json'])
})

test('is not content with what another process has put there', async () => {
  await fill(complete, 'config.json')
  const beforeLast = async () => {
    await rename(complete, `${complete}-away`)
    await fill(out, 'config.json')
  }
  await expectIssue(publish(place, complete, { overwrite: false, beforeLast }), 'output-unwritable')
})

describe('out of a folder inside', () => {
  beforeEach(() => {
    place = { ...place, isInside: true, around: out, partial: join(out, '.partial'), prefix: '.partial-' }
    complete = join(out, '.partial-complete-1')
  })

  test('entries move, over what was there', async () => {
    await fill(out, 'model-00001-of-00002.safetensors')
    await fill(complete, 'config.json', 'model.safetensors', 'journal.json')
    await mkdir(join(out, 'lost+found'))
    await publish(place, complete, { overwrite: true })
    expect((await readdir(out)).toSorted()).toEqual(['config.json', 'lost+found', 'model.safetensors'])
  })

  test('entries move over nothing without being asked', async () => {
    await fill(out, 'model.safetensors')
    await fill(complete, 'config.json', 'journal.json')
    await expectIssue(publish(place, complete, { overwrite: false }), 'output-exists')
    expect((await readdir(complete)).toSorted()).toEqual(['config.json', 'journal.json'])
  })

  test('those that a killed merge has not moved follow, config.json last', async () => {
    await fill(out, 'model.safetensors')
    await fill(complete, 'config.json', 'README.md')
    let before: readonly string[] = []
    const beforeLast = async () => {
      before = await readdir(out)
    }
    await publish(place, complete, { overwrite: false, beforeLast })
    expect(before.toSorted()).toEqual(['.partial-complete-1', 'README.md', 'model.safetensors'])
    expect((await readdir(out)).toSorted()).toEqual(['README.md', 'config.json', 'model.safetensors'])
  })
})

describe('what a killed merge has left', () => {
  test('is found where it only lacks its name', async () => {
    await fill(complete, 'config.json')
    await fill(join(folder.path, '.other.partial-complete-1'), 'config.json')
    expect(await findComplete(place)).toEqual([complete])
  })

  test('is brought back where nothing took its place', async () => {
    await fill(join(folder.path, '.out.replaced-1234'), 'config.json')
    await restoreReplaced(place)
    await removeLeftovers(place, () => {})
    expect([await readdir(folder.path), await readdir(out)]).toEqual([['out'], ['config.json']])
  })

  test('is deleted where it was replaced or discarded, and nothing else is', async () => {
    await putOld()
    for (const name of ['.out.replaced-1234', '.out.partial-discarded-1', '.out.partial', 'out.partial'])
      await fill(join(folder.path, name), 'x')
    await restoreReplaced(place)
    await removeLeftovers(place, () => {})
    expect((await readdir(folder.path)).toSorted()).toEqual(['.out.partial', 'out', 'out.partial'])
    expect(existsSync(join(out, 'config.json'))).toBe(true)
  })
})
