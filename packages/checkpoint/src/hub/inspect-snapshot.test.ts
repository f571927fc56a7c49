import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { freeBytes, openCachedModel } from './hub-cache.ts'
import { inspectSnapshot } from './inspect-snapshot.ts'
import type { WantedFiles } from './select-hub-files.ts'

const commit = 'c'.repeat(40)
let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'mk-snapshot-'))
})
afterEach(() => rm(root, { recursive: true }))

const cached = () => openCachedModel(root, 'org/a', 'main')
/** What is said of a snapshot with these files. */
async function inspect(names: readonly string[], wanted: WantedFiles = { purpose: 'model' }) {
  const folder = cached().snapshotFolder(commit)
  for (const name of names) {
    await mkdir(join(folder, name, '..'), { recursive: true })
    await writeFile(join(folder, name), name.endsWith('index.json') ? '{"weight_map":{"a":"x.safetensors"}}' : '{}')
  }
  const found = await inspectSnapshot(cached(), commit, wanted)
  await rm(folder, { recursive: true, force: true })
  return found
}
const model = ['config.json', 'model.safetensors', 'tokenizer.json']
const noTokenizer = 'there is no tokenizer with it, so that none of it can be in the output'
const noNames = 'whether its weights are all there can not be told from their names'

describe('a model in the cache', () => {
  test.each([
    [model],
    [['config.json', 'pytorch_model.bin', 'tokenizer.json']],
    [['config.json', 'model.safetensors.index.json', 'x.safetensors', 'tokenizer.json']],
  ])('is whole with %j', async (names) => {
    expect(await inspect(names)).toMatchObject({ state: 'whole', gguf: undefined })
  })

  test.each([
    [[]],
    [['config.json', 'tokenizer.json']],
    [['model.safetensors', 'tokenizer.json']],
    [['config.json', 'model.safetensors.index.json', 'tokenizer.json']],
  ])('is partly there with %j', async (names) => {
    expect(await inspect(names)).toMatchObject({ state: 'partial', gguf: undefined })
  })

  test.each([
    [['config.json', 'model.safetensors'], noTokenizer],
    [['config.json', 'weights.safetensors', 'tokenizer.json'], noNames],
    [['config.json', 'weights.safetensors'], `${noTokenizer}; ${noNames}`],
  ])('is usable with %j', async (names, doubt) => {
    expect(await inspect(names)).toMatchObject({ state: 'usable', doubt })
  })

  test('has folders that its list of modules names', async () => {
    const folder = cached().snapshotFolder(commit)
    await mkdir(join(folder, '1_Pooling'), { recursive: true })
    for (const name of model) await writeFile(join(folder, name), '{}')
    const state = async (list: string) => {
      await writeFile(join(folder, 'modules.json'), list)
      return inspectSnapshot(cached(), commit, { purpose: 'model' })
    }
    expect(await state('[{"path": "1_Pooling"}]')).toMatchObject({ state: 'whole' })
    expect(await state('[{"path": "1_Pooling"}, {"path" : "2_Dense"}]')).toMatchObject({
      state: 'usable',
      doubt: 'folders of its modules are missing',
    })
    expect(await state('[{"path": ""}, {"path": "other"}]')).toMatchObject({ state: 'whole' })
  })

  test('may be a GGUF, all parts of it, one that is named or the only one', async () => {
    const parts = ['a-00001-of-00002.gguf', 'a-00002-of-00002.gguf']
    expect(await inspect(['a.gguf'])).toMatchObject({ state: 'usable', gguf: 'a.gguf' })
    expect(await inspect(['a.gguf', 'b.gguf'], { purpose: 'model', gguf: 'b.gguf' })).toMatchObject({
      state: 'whole',
      gguf: 'b.gguf',
    })
    expect(await inspect([], { purpose: 'model', gguf: 'b.gguf' })).toMatchObject({ state: 'partial' })
    expect(await inspect(['sub/b.gguf'], { purpose: 'model', gguf: 'sub/b.gguf' })).toMatchObject({ state: 'whole' })
    expect(await inspect(parts, { purpose: 'model', gguf: parts[0]! })).toMatchObject({ state: 'whole' })
    expect(await inspect(parts.slice(0, 1), { purpose: 'model', gguf: parts[0]! })).toMatchObject({ state: 'partial' })
  })

  test('may be an adapter, which needs no tokenizer', async () => {
    const adapter: WantedFiles = { purpose: 'adapter' }
    expect(await inspect(['adapter_config.json', 'adapter_model.safetensors'], adapter)).toMatchObject({
      state: 'whole',
    })
    expect(await inspect(['config.json', 'adapter_model.safetensors'], adapter)).toMatchObject({ state: 'partial' })
  })
})

describe('the cache of a model', () => {
  test('lists files that are there, at the top or in a folder', async () => {
    const folder = cached().snapshotFolder(commit)
    await mkdir(join(folder, 'sub'), { recursive: true })
    for (const name of ['a', 'sub/b']) await writeFile(join(folder, name), '')
    expect(await cached().listSnapshot(commit)).toEqual(['a'])
    expect(await cached().listSnapshot(commit, 'sub')).toEqual(['sub/b'])
    expect(await cached().listSnapshot(commit, 'none')).toEqual([])
    expect(await cached().listSnapshot('d'.repeat(40))).toEqual([])
  })

  test('keeps the commit of a branch, and none of what is no commit', async () => {
    const { readCommit, writeCommit, folder } = cached()
    expect(await readCommit('main')).toBeUndefined()
    await writeCommit('feature/x', commit)
    expect(await readCommit('feature/x')).toBe(commit)
    expect(await readCommit('feature')).toBeUndefined()
    await writeFile(join(folder, 'refs/feature/x'), `${commit}\n`)
    expect(await readCommit('feature/x')).toBe(commit)
    await writeFile(join(folder, 'refs/feature/x'), 'no commit')
    expect(await readCommit('feature/x')).toBeUndefined()
    expect(await readCommit('d'.repeat(40))).toBe('d'.repeat(40))
    await writeCommit(commit, commit)
    expect(await cached().listSnapshot(commit)).toEqual([])
    await expect(writeFile(join(folder, 'refs', commit), '', { flag: 'wx' })).resolves.toBeUndefined()
  })

  test.each(['a'.repeat(200), 'v1.0', 'refs/pr/1', 'x_y-z+1'])('has a revision %s', (revision) => {
    expect(openCachedModel(root, 'org/a', revision).folder).toBe(join(root, 'models--org--a'))
  })

  test.each(['a'.repeat(201), '', '.', '..', 'a/../b', 'a/./b', '/a', 'a/', 'a b', 'a:b'])(
    'has no revision %s',
    (revision) => {
      expect(() => openCachedModel(root, 'org/a', revision)).toThrow(
        expect.objectContaining({ code: 'hub-revision', issue: { code: 'hub-revision', id: 'org/a', revision } }),
      )
    },
  )

  test('knows the room where a folder will be made', async () => {
    const [here, there] = [await freeBytes(root), await freeBytes(join(root, 'a/b/c'))]
    expect(here).toBeGreaterThan(2 ** 20)
    expect(Math.abs(here - there) / here).toBeLessThan(0.2)
  })
})
