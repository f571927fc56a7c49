import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { safetensorsBytes, writeFiles } from '../open/__fixtures__/make-folder.ts'
import { openCheckpoint } from '../index.ts'

let root: string
let model: string
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'outside-links-')))
  model = join(root, 'model')
})
afterEach(() => rm(root, { recursive: true }))

const plain = safetensorsBytes({ a: ['F32', 2] })
const notesOf = async (path = model) => (await openCheckpoint({ path, adapters: [] }, { roots: [root] })).notes

describe('a link in a model’s folder', () => {
  it.each(['chat_template.jinja', 'tokenizer.model', 'words.txt', 'generation_config.json'])(
    'that leads %s out of it is noted with its target',
    async (name) => {
      await writeFiles(model, { 'config.json': {}, 'model.safetensors': plain })
      await writeFile(join(root, 'id_rsa'), '{"a key": 1}')
      await symlink('../id_rsa', join(model, name))
      expect(await notesOf()).toEqual([
        `${model}: a link leads out of the model: ${name} to ${join(root, 'id_rsa')}; it is followed`,
      ])
    },
  )

  it('that leads weights, config.json or a whole folder out is noted, too, and many are counted', async () => {
    await writeFiles(root, { 'elsewhere/config.json': {}, 'elsewhere/model.safetensors': plain, 'texts/a.txt': '' })
    await mkdir(model)
    for (const name of ['config.json', 'model.safetensors']) await symlink(`../elsewhere/${name}`, join(model, name))
    await symlink('../texts', join(model, 'texts'))
    await symlink('../texts/a.txt', join(model, 'b.txt'))
    const [note] = await notesOf()
    expect(note).toMatch(
      /^\S+model: links lead out of the model: model.safetensors to \S+elsewhere\/model.safetensors, /,
    )
    expect(note).toMatch(/ and 1 more; they are followed$/)
  })

  it('that stays inside, or of which the folder itself is one, is not worth a word', async () => {
    await writeFiles(model, { 'config.json': {}, 'data/x.bin': plain })
    await symlink('data/x.bin', join(model, 'model.safetensors'))
    await symlink('model', join(root, 'linked'))
    expect(await notesOf()).toEqual([])
    expect(await notesOf(join(root, 'linked'))).toEqual([])
  })

  it('into a cache of the hub is what that consists of', async () => {
    const repository = join(root, 'hub', 'models--org--name')
    const blobs = { config: 'a'.repeat(40), weights: 'b'.repeat(64) }
    await writeFiles(repository, { [`blobs/${blobs.config}`]: {}, [`blobs/${blobs.weights}`]: plain })
    const snapshot = join(repository, 'snapshots', 'c'.repeat(40))
    for (const folder of [snapshot, model]) {
      await mkdir(folder, { recursive: true })
      await symlink(join(repository, 'blobs', blobs.config), join(folder, 'config.json'))
      await symlink(join(repository, 'blobs', blobs.weights), join(folder, 'model.safetensors'))
      expect(await notesOf(folder)).toEqual([])
    }
  })
})

it('the states of files are those of before they were read, without what was not', async () => {
  await writeFiles(model, { 'config.json': {}, 'model.safetensors': plain, 'tokenizer.json': '{}', 'log.txt': '' })
  const { states } = await openCheckpoint({ path: model, adapters: [] }, { roots: [root] })
  const names = ['config.json', 'model.safetensors', 'tokenizer.json']
  expect([...states.keys()].toSorted()).toEqual(names.map((name) => join(model, name)))
})
