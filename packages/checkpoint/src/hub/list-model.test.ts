import { describe, expect, test } from 'vitest'
import { largestOther } from '../files/select-copied.ts'
import type { HubClient } from './hub-client.ts'
import { listModel } from './list-model.ts'
import type { HubFile } from './listed-file.ts'

const file = (name: string, byteCount = 10): HubFile => ({ name, byteCount, hash: 'a'.repeat(40) })

/** A hub that has these files at the top, and these in folders. */
function list(top: readonly HubFile[], folders: Readonly<Record<string, readonly HubFile[]>> = {}, withFolders = true) {
  const asked: string[] = []
  const client: Pick<HubClient, 'id' | 'listFiles'> = {
    id: 'org/model',
    listFiles: (_, folder) => {
      if (folder !== undefined) asked.push(folder)
      return Promise.resolve({
        files: folder === undefined ? top : folders[folder]!,
        folders: folder === undefined ? Object.keys(folders) : [],
      })
    },
  }
  return listModel(client as HubClient, 'commit', withFolders).then(({ files, notes }) => ({
    names: [...files.keys()],
    notes,
    asked,
  }))
}
const many = (count: number) =>
  Array.from({ length: count }, (_, index) => file(`tokenizer/${String(index).padStart(3, '0')}.json`))

test('files at the top are needed, but for large ones that no merge knows', async () => {
  const { names } = await list([
    file('config.json', 10 * largestOther),
    file('model.safetensors', 1e12),
    file('notes.xyz', largestOther),
    file('dump.xyz', largestOther + 1),
  ])
  expect(names).toEqual(['config.json', 'model.safetensors', 'notes.xyz'])
})

describe('folders', () => {
  test('are looked into, but those from which nothing is copied, and those of an adapter', async () => {
    const folders = { tokenizer: [file('tokenizer/tokenizer.json')], '.git': [file('.git/config')] }
    expect(await list([], folders)).toMatchObject({ names: ['tokenizer/tokenizer.json'], asked: ['tokenizer'] })
    expect(await list([], folders, false)).toEqual({ names: [], notes: [], asked: [] })
  })

  test('are at most 24, and a note counts them', async () => {
    const of = (count: number) =>
      list([], Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${index}`, []])))
    const [most, more] = [await of(24), await of(25)]
    expect([most.asked.length, most.notes]).toEqual([24, []])
    expect([more.asked.length, more.notes]).toEqual([24, ['org/model has 25 folders, of which 24 were looked into']])
  })

  test('of more than 200 files are left out, with a note', async () => {
    const [most, more] = [await list([], { tokenizer: many(200) }), await list([], { tokenizer: many(201) })]
    expect(most.notes.filter((note) => note.includes('201'))).toEqual([])
    expect([more.names, more.notes]).toEqual([
      [],
      ['org/model: tokenizer/ has 201 files, more than settings are, and is left out'],
    ])
    expect(most.names.length).toBeGreaterThan(0)
  })
})
