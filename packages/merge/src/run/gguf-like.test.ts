import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readGgufHeader } from '@mk/gguf/node'
import { describe, expect, it } from 'vitest'
import { readCase } from '../../../gguf/src/convert/__fixtures__/cases.ts'
import { ggufFile } from '../../../gguf/src/convert/__fixtures__/plain-file.ts'
import { type MadeModel, writeCase as writeMade } from '../__fixtures__/gguf-cases.ts'
import { expectIssue, mergeIn, planIn } from '../__fixtures__/merge.ts'
import { useFolder } from '../__fixtures__/models.ts'

const folder = useFolder()
const alone = 'merge_method: passthrough\nmodels: [{model: a}]\nout_format: gguf\nout_dtype: float16'

/** Writes a made model in `a`, as one of a family that nobody has heard of unless told otherwise. */
const writeCase = (name: string, made: MadeModel = {}) =>
  writeMade(join(folder.path, 'a'), name, { config: { model_type: 'unheard' }, ...made })

const putDonor = (name: string, type: 'F16' | 'Q8_0') =>
  writeFile(join(folder.path, 'donor.gguf'), ggufFile(name, type))
const like = { prepare: { ggufLike: 'donor.gguf', name: 'like' } }

async function hashesIn(out: string): Promise<ReadonlyMap<string, string>> {
  const file = await readFile(join(out, 'model.gguf'))
  const { tensors } = await readGgufHeader(join(out, 'model.gguf'))
  return new Map(
    tensors.map(({ name, type, byteStart, byteEnd }) => {
      const hash = createHash('sha256').update(file.subarray(byteStart, byteEnd)).digest('hex').slice(0, 32)
      return [name, `${type} ${hash}`]
    }),
  )
}

describe('a family without a map', () => {
  it.each(['llama3', 'gemma2', 'qwen2', 'mixtral', 'qwen3moe'])(
    'that is like %s has its rows as a GGUF of such a model shows, and its metadata',
    async (name) => {
      await writeCase(name)
      await putDonor(name, 'Q8_0')
      const { out } = await mergeIn(folder.path, alone, like)
      const { tensors, hashes } = readCase(name).gguf
      expect(await hashesIn(out)).toEqual(
        new Map(tensors.map((tensor, index) => [tensor.name, hashes['F16']![index]!])),
      )
      const [made, donor] = await Promise.all(
        ['out/model.gguf', 'donor.gguf'].map((file) => readGgufHeader(join(folder.path, file))),
      )
      const others = new Map([...donor!.metadata].filter(([key]) => !/^general\.(name|file_type)$/.test(key)))
      expect(new Map([...made!.metadata].filter(([key]) => others.has(key)))).toEqual(others)
      expect(made!.metadata.get('general.file_type')).toEqual({ type: 'uint32', value: 1 })
    },
  )

  it('may differ from it by less than half of its elements’ size', async () => {
    await putDonor('llama3', 'F16')
    const placesOf = async (factor: number) => {
      await writeCase('llama3', { factor })
      return (await planIn(folder.path, alone, like.prepare)).tensors.map(({ name, byteStart, rows }) => [
        name,
        byteStart,
        rows,
      ])
    }
    const same = await placesOf(1)
    for (const factor of [0.55, 0.9, 1.45]) expect([factor, await placesOf(factor)]).toEqual([factor, same])
    for (const factor of [0.45, 1.55, -1]) await expect(placesOf(factor)).rejects.toMatchObject({ code: 'gguf-unlike' })
  })

  it('is refused without one, or where that is of another model', async () => {
    await writeCase('llama3')
    await expect(planIn(folder.path, alone)).rejects.toMatchObject({ code: 'gguf-family' })
    await putDonor('llama3', 'F16')
    await writeCase('llama3', { nameOf: (name) => `${name} of another model` })
    await expect(planIn(folder.path, alone, like.prepare)).rejects.toMatchObject({ code: 'gguf-unlike' })
    await putDonor('qwen2', 'F16')
    await expect(planIn(folder.path, alone, like.prepare)).rejects.toMatchObject({ fault: 'usage' })
  })
})

it('a tokenizer that nobody recognizes comes from a GGUF that has it', async () => {
  const tokenizer = (text: string) => text.replaceAll('\\\\p{N}', '\\\\p{Nd}')
  await writeCase('llama3', { config: {}, tokenizer })
  await putDonor('llama3', 'F16')
  await expect(planIn(folder.path, alone)).rejects.toMatchObject({ code: 'gguf-pre-tokenizer' })
  await mergeIn(folder.path, alone, like)
  const [made, donor] = await Promise.all(
    ['out/model.gguf', 'donor.gguf'].map((file) => readGgufHeader(join(folder.path, file))),
  )
  const tokenizerOf = ({ metadata }: typeof made & object) =>
    [...metadata].filter(([key]) => key.startsWith('tokenizer.'))
  expect(tokenizerOf(made!)).toEqual(tokenizerOf(donor!))
  const template = `${alone}\nchat_template: "{{ messages }}"`
  await mergeIn(folder.path, template, { ...like, out: join(folder.path, 'asked') })
  const asked = (await readGgufHeader(join(folder.path, 'asked', 'model.gguf')))!
  expect(asked.metadata.get('tokenizer.chat_template')).toEqual({ type: 'string', value: '{{ messages }}' })
  expect(made!.metadata.get('general.name')).toEqual({ type: 'string', value: 'like' })
})

it('an output is only like a GGUF where it is one, and only like a GGUF', async () => {
  await writeCase('llama3', { config: {} })
  const plain = alone.replace('out_format: gguf\n', '')
  await expectIssue(planIn(folder.path, plain, { ggufLike: 'a' }), 'gguf-like', { isGguf: true })
  await expectIssue(planIn(folder.path, alone, { ggufLike: 'a' }), 'gguf-like', { isGguf: false })
})
