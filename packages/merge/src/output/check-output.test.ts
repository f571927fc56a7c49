import { chmod, mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { expectIssue, mergeIn, prepareIn } from '../__fixtures__/merge.ts'
import { useFolder, writeLlamas, writeModel } from '../__fixtures__/models.ts'
import type { MergePlan } from '../plan/merge-plan.ts'
import { checkOutput } from './check-output.ts'
import { checkSpace, spaceForOutput } from './check-space.ts'
import { findOutputPlace } from './output-place.ts'

const folder = useFolder()

/** Makes files, and folders where a name ends with a slash. */
async function put(names: readonly string[]): Promise<void> {
  for (const name of names) {
    const path = join(folder.path, name)
    await mkdir(name.endsWith('/') ? path : dirname(path), { recursive: true })
    if (!name.endsWith('/')) await writeFile(path, '')
  }
}

const passthrough = 'merge_method: passthrough\nmodels: [{model: a}]'

describe('an output folder', () => {
  test('may be missing, with folders above it, or empty', async () => {
    await mkdir(join(folder.path, 'empty'))
    await expect(checkOutput({ out: join(folder.path, 'empty'), overwrite: false })).resolves.toBeUndefined()
    await expect(checkOutput({ out: join(folder.path, 'x', 'y'), overwrite: false })).resolves.toBeUndefined()
  })

  test('with files is refused, unless it is to be replaced', async () => {
    await writeFile(join(folder.path, 'config.json'), '{}')
    const message = await expectIssue(checkOutput({ out: folder.path, overwrite: false }), 'output-exists', {
      entryCount: 1,
    })
    expect(message).toBe(`${folder.path} has files in it (1); give another folder`)
    await expect(checkOutput({ out: folder.path, overwrite: true })).resolves.toBeUndefined()
  })

  test.each([
    ['a text', ['thesis.txt'], ['thesis.txt']],
    ['a model and a text', ['config.json', 'model.safetensors', 'notes.txt'], ['notes.txt']],
    ['a repository', ['model.safetensors', '.git/'], ['.git']],
    ['programs', ['config.json', 'train.py'], ['train.py']],
    ['weights of another kind', ['pytorch_model.bin'], ['pytorch_model.bin']],
    ['a folder by the name of a file', ['model.safetensors/x'], ['model.safetensors/x']],
    ['more in a folder of templates', ['chat_templates/a.jinja', 'chat_templates/b.txt'], ['chat_templates/b.txt']],
  ])('with %s is not replaced, and says what no merge writes', async (_, names, strangers) => {
    await put(names)
    await expectIssue(checkOutput({ out: folder.path, overwrite: true }), 'output-strangers', { names: strangers })
  })

  test('with what merges write is replaced', async () => {
    await put([
      'config.json',
      'generation_config.json',
      'model-00001-of-00002.safetensors',
      'model.safetensors.index.json',
      'tokenizer.json',
      'tokenizer_config.json',
      'special_tokens_map.json',
      'merges.txt',
      'chat_template.jinja',
      'additional_chat_templates/tool.jinja',
      'preprocessor_config.json',
      'tokenization_mine.py',
      'helpers.py',
      'mergekit_config.yml',
      'README.md',
    ])
    await expect(checkOutput({ out: folder.path, overwrite: true })).resolves.toBeUndefined()
  })

  test.each([5e9, 1000])(
    'that a merge has written is replaced with all that it copied, and no more (files of %d bytes)',
    async (shardBytes) => {
      const copied = ['words.txt', 'voices/en.dat', 'voices/v2/deep/x.dat', 'tokenizer.json']
      await writeLlamas(folder.path, { a: { files: Object.fromEntries(copied.map((name) => [name, '{}'])) } })
      const merging = () => mergeIn(folder.path, passthrough, { prepare: { shardBytes }, overwrite: true })
      const { out, plan } = await merging()
      expect(metadataOf(plan)[0]).toEqual({ format: 'pt', 'mk.copied': expect.stringContaining('voices/en.dat') })
      expect(
        metadataOf(plan)
          .slice(1)
          .every((metadata) => Object.keys(metadata).join() === 'format'),
      ).toBe(true)
      await merging()
      await put(['out/mine.txt', 'out/voices/mine.dat'])
      await expectIssue(checkOutput({ out, overwrite: true }), 'output-strangers', {
        names: expect.toSatisfy((names: string[]) => names.toSorted().join() === 'mine.txt,voices/mine.dat'),
      })
    },
  )

  test('has no record where every file’s name tells its use', async () => {
    await writeLlamas(folder.path, { a: { files: { 'tokenizer.json': '{}' } } })
    const { plan } = await mergeIn(folder.path, passthrough)
    expect(metadataOf(plan)).toEqual([{ format: 'pt' }])
  })

  test('that is the current folder, home, the recipe’s, or above one of them is refused, empty or not', async () => {
    const home = join(folder.path, 'home')
    const recipe = join(home, 'recipes', 'r.yml')
    await put(['home/recipes/r.yml', 'home/work/'])
    const before = process.env['HOME']
    process.env['HOME'] = home
    const refused = (out: string) => checkOutput({ out, overwrite: true, recipe })
    try {
      for (const isAbove of [true, false]) {
        const upward = isAbove ? '..' : '.'
        await expectIssue(refused(join(home, upward)), 'output-place', { taken: 'the home folder', isAbove })
        await expectIssue(refused(join(process.cwd(), upward)), 'output-place', {
          taken: 'the current folder',
          isAbove,
        })
      }
      await expectIssue(refused(join(home, 'recipes')), 'output-place', {
        taken: 'the folder of the recipe',
        isAbove: false,
      })
      await expectIssue(refused(''), 'output-unnamed')
      await expect(refused(join(home, 'work'))).resolves.toBeUndefined()
    } finally {
      process.env['HOME'] = before
    }
  })

  test('that is a link is where the link leads, if it leads somewhere', async () => {
    await put(['disk/there/'])
    await symlink(join('disk', 'there'), join(folder.path, 'link'))
    await symlink('nowhere', join(folder.path, 'broken'))
    expect(findOutputPlace(join(folder.path, 'link')).out).toBe(join(folder.path, 'disk', 'there'))
    const message = await expectIssue(
      checkOutput({ out: join(folder.path, 'broken'), overwrite: true }),
      'output-unwritable',
    )
    expect(message).toContain('a symbolic link to nowhere')
  })

  test('that is a file is refused', async () => {
    await writeFile(join(folder.path, 'file'), '')
    expect(
      await expectIssue(checkOutput({ out: join(folder.path, 'file'), overwrite: true }), 'output-unwritable'),
    ).toContain('is a file, not a folder')
    await expectIssue(checkOutput({ out: join(folder.path, 'file', 'below'), overwrite: true }), 'output-unwritable')
  })

  test.skipIf(process.getuid?.() === 0)('that may not be written to is refused', async () => {
    const closed = join(folder.path, 'closed')
    await mkdir(closed)
    await chmod(closed, 0o500)
    expect(
      await expectIssue(checkOutput({ out: join(closed, 'out'), overwrite: false }), 'output-unwritable'),
    ).toContain('permission denied')
  })
})

describe('an output is kept off the inputs', () => {
  test.each([['a'], ['a/below'], ['.'], ['link']])('at %s', async (out) => {
    await writeLlamas(folder.path, { a: {} })
    await symlink(join(folder.path, 'a'), join(folder.path, 'link'))
    await expectIssue(
      mergeIn(folder.path, passthrough, { out: join(folder.path, out), overwrite: true }),
      'output-is-input',
    )
    expect(await readdir(join(folder.path, 'a'))).toEqual(['config.json', 'model.safetensors'])
  })

  test('where the folder it grows in would be one', async () => {
    await writeLlamas(folder.path, { 'out.partial': {} })
    await expectIssue(mergeIn(folder.path, passthrough.replace('a}', 'out.partial}')), 'output-is-input')
  })

  test('but may stand beside files that are named one by one', async () => {
    await writeModel(join(folder.path, 'raw'), { tensors: { w: { shape: [2] } } })
    const { tensors } = await mergeIn(
      folder.path,
      'merge_method: passthrough\nmodels: [{model: raw/model.safetensors}]',
      { out: join(folder.path, 'raw', 'out') },
    )
    expect(Object.keys(tensors)).toEqual(['w'])
  })
})

test('an output grows beside its place', () => {
  expect(findOutputPlace(join(folder.path, 'out')).partial).toBe(join(folder.path, 'out.partial'))
})

test.skipIf(process.platform !== 'linux')('an output that is a volume of its own grows inside it', () => {
  expect(findOutputPlace('/proc').partial).toBe('/proc/.partial')
})

test('all that goes to one disk is added up', async () => {
  const halfBytes = 2 ** 62
  await expect(
    checkSpace([
      { folder: folder.path, bytes: 1 },
      { folder: join(folder.path, 'none', 'yet'), bytes: 1 },
    ]),
  ).resolves.toBeUndefined()
  await expectIssue(
    checkSpace([
      { folder: folder.path, bytes: halfBytes },
      { folder: join(folder.path, 'out'), bytes: halfBytes },
    ]),
    'disk-space',
    { folder: folder.path, neededBytes: 2 ** 63 },
  )
})

test('an output needs room for its files', async () => {
  await writeLlamas(folder.path, { a: {} })
  const { plan } = await prepareIn(folder.path, passthrough)
  expect(spaceForOutput(plan, 'out')).toEqual({ folder: 'out', bytes: plan.files[0]!.fileBytes })
})

const metadataOf = ({ files }: MergePlan) => files.map((file) => (file.format === 'safetensors' ? file.metadata : {}))
