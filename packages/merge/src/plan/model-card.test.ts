import { cp, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { builtinMethods } from '@mk/methods'
import { loadMethodModule } from '@mk/methods/node'
import { describe, expect, test } from 'vitest'
import { mergeIn, planIn } from '../__fixtures__/merge.ts'
import { useFolder, writeLlamas } from '../__fixtures__/models.ts'
import { checkOutput } from '../output/check-output.ts'
import { prepareMerge } from '../node/prepare-merge.ts'
import { program } from '../program.ts'
import type { MergePlan } from './merge-plan.ts'

const folder = useFolder()
const tokenizer = { 'tokenizer.json': '{"a":1}' }
const card = (settings: string) => ({ 'README.md': `---\n${settings}\n---\n# A model\n` })
const commits = { base: 'b'.repeat(40), tuned: 'c'.repeat(40), adapter: 'd'.repeat(40) }

const cardIn = ({ documents }: MergePlan) => documents.find(({ name }) => name === 'README.md')!.text
const cardOf = async (recipe: string, options = {}) => cardIn(await planIn(folder.path, recipe, options))
const section = (text: string, heading: string) => new RegExp(`\n## ${heading}\n\n([^]*?)(\n\n## |\n$)`).exec(text)?.[1]

/** The card of models that are in the hub's cache. */
async function cardFromHub(text: string): Promise<string> {
  const environment = { HF_HOME: folder.path, HF_HUB_OFFLINE: '1' }
  return cardIn((await prepareMerge({ text, methods: builtinMethods, hub: { environment } })).plan)
}

const writeHubModel = (name: string, commit: string, files: Record<string, string> = {}) =>
  writeLlamas(join(folder.path, 'hub', `models--org--${name}`, 'snapshots'), {
    [commit]: { files: { ...tokenizer, ...files } },
  })

describe('the model card', () => {
  test.each([
    ['', '```'],
    ['# ```sh\n', '~~~'],
  ])('has the recipe between marks that are not in it: %j', async (more, fence) => {
    await writeLlamas(folder.path, { a: {} })
    const recipe = `${more}merge_method: passthrough\nmodels: [{model: a}]`
    expect(section(await cardOf(`${recipe}\n\n`), 'Recipe')).toBe(`${fence}yaml\n${recipe}\n${fence}`)
  })

  test('has the name of the output as its title, and the program with its version', async () => {
    await writeLlamas(folder.path, { a: {} })
    const { version } = program
    const recipe = 'merge_method: passthrough\nmodels: [{model: a}]'
    expect(await cardOf(recipe, { name: 'my-merge' })).toContain(
      `\n---\n\n# my-merge\n\nA merge of language models, made with mk ${version}.\n\n## Models\n`,
    )
    expect(await cardOf(recipe)).toContain('\n# Merged model\n')
    expect(await cardOf(recipe, { name: '<b>`x`' })).toContain('\n# \\<b>\\`x\\`\n')
  })

  test('tells method, inputs, notes and recipe', async () => {
    await writeLlamas(folder.path, { a: {}, b: { layers: 3 } })
    const recipe =
      'merge_method: passthrough\nslices: [{sources: [{model: a}]}, {sources: [{model: b, layer_range: [0, 2]}]}]'
    const text = await cardOf(recipe)
    expect(text).toMatch(/^---\nlibrary_name: transformers\ntags:\n- mergekit\n- merge\n---\n/)
    expect(section(text, 'Method')).toBe(`**passthrough**. ${builtinMethods.get('passthrough')!.summary}`)
    expect(section(text, 'Models')).toBe('- `a`\n- `b`')
    expect(section(text, 'Notes')).toContain('- b: layer 2 not used')
    expect(section(text, 'Recipe')).toBe(`\`\`\`yaml\n${recipe}\n\`\`\``)
  })

  test('links models of the hub at the commit that was merged, not folders that look like one', async () => {
    await writeHubModel('base', commits.base)
    await writeHubModel('tuned', commits.tuned)
    const text = await cardFromHub(
      `merge_method: ties\nbase_model: org/base@${commits.base}\nmodels: [{model: org/tuned@${commits.tuned}, parameters: {weight: 1}}]`,
    )
    expect(text).toContain('base_model:\n- org/base\n- org/tuned\nbase_model_relation: merge\n')
    expect(section(text, 'Models')).toBe(
      `- [org/base](https://huggingface.co/org/base/tree/${commits.base}) at \`bbbbbbb\` (base model)\n- [org/tuned](https://huggingface.co/org/tuned/tree/${commits.tuned}) at \`ccccccc\``,
    )
    await writeLlamas(folder.path, { 'org/a': {} })
    expect(await cardOf('merge_method: passthrough\nmodels: [{model: org/a}]')).not.toContain('base_model')
  })

  test('names and links adapters, whose license counts as well', async () => {
    const goldens = fileURLToPath(new URL('../../../../goldens/models', import.meta.url))
    const snapshot = join(folder.path, 'hub', 'models--org--lora', 'snapshots', commits.adapter)
    await cp(join(goldens, 'lora-qvd'), snapshot, { recursive: true })
    await writeFile(join(snapshot, 'README.md'), card('license: mit')['README.md'])
    const text = await cardFromHub(
      `merge_method: passthrough\nmodels: [{model: {model: ${goldens}/llama-base, lora: org/lora@${commits.adapter}}}]`,
    )
    const base = `\`${goldens}/llama-base\``
    expect(section(text, 'Models')).toBe(
      `- ${base} with the adapter [org/lora](https://huggingface.co/org/lora/tree/${commits.adapter}) at \`ddddddd\``,
    )
    expect(section(text, 'Licenses')).toBe(`- ${base}: not stated\n- \`org/lora\`: mit`)
  })

  test('links the paper of the method', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    const text = await cardOf('merge_method: ties\nbase_model: a\nmodels: [{model: b, parameters: {weight: 1}}]')
    const { reference, summary } = builtinMethods.get('ties')!
    expect(section(text, 'Method')).toBe(`**ties**, [${reference!.title}](${reference!.url}). ${summary}`)
  })

  test.each([
    ['dare_ties', 'density: 0.5', 'Random seed: 7.'],
    ['della', 'density: 0.5', 'Random seed: 7.'],
    ['dare_ties', 'density: 1', undefined],
    ['dare_linear', 'density: [{filter: mlp, value: 0.5}, {value: 1}]', 'Random seed: 7.'],
    ['ties', 'density: 0.5', undefined],
  ])('tells the seed only where one was used: %s, %s', async (method, density, seed) => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    const text = await cardOf(
      `merge_method: ${method}\nbase_model: a\nmodels: [{model: b, parameters: {weight: 1, ${density}}}]`,
      { seed: 7 },
    )
    expect(/Random seed.*/.exec(text)?.[0]).toBe(seed)
  })

  test('says how to load it', async () => {
    await writeLlamas(folder.path, {
      a: { files: tokenizer, config: { architectures: ['LlamaForCausalLM'] } },
      b: { config: { architectures: ['T5ForConditionalGeneration'] } },
      c: { config: { architectures: ['Odd") import os'], auto_map: {} } },
      d: { config: { architectures: ['OwnForCausalLM'], auto_map: {} } },
      e: { config: { architectures: ['OwnModel'], auto_map: {} } },
      f: { config: { architectures: [5] } },
    })
    const loadingOf = async (model: string) =>
      section(await cardOf(`merge_method: passthrough\nmodels: [{model: ${model}}]`, { name: 'it' }), 'Loading it')
    expect(await loadingOf('a')).toBe(
      '```python\nfrom transformers import AutoModelForCausalLM, AutoTokenizer\n\nmodel = AutoModelForCausalLM.from_pretrained("it", dtype="auto")\ntokenizer = AutoTokenizer.from_pretrained("it")\n```',
    )
    expect(await loadingOf('b')).toContain('T5ForConditionalGeneration.from_pretrained("it", dtype="auto")\n```')
    expect(await loadingOf('d')).toContain(
      'AutoModelForCausalLM.from_pretrained("it", dtype="auto", trust_remote_code=True)',
    )
    expect(await loadingOf('e')).toContain(' AutoModel.from_pretrained("it", dtype="auto", trust_remote_code=True)\n')
    expect(await loadingOf('f')).toContain(' AutoModel.from_pretrained("it", dtype="auto")\n')
    expect(await loadingOf('c')).toContain('AutoModel.from_pretrained("it", dtype="auto", trust_remote_code=True)\n')
  })

  test('of a GGUF says how to load that, and links no file that is not there', async () => {
    const { documents, copies } = await planIn(
      fileURLToPath(new URL('../../../../examples', import.meta.url)),
      'merge_method: passthrough\nmodels: [{model: models/tiny-base}]\nout_format: gguf\nout_dtype: float16',
    )
    const text = documents.find(({ name }) => name === 'README.md')!.text
    expect(text).toMatch(/^---\nlibrary_name: gguf\ntags:\n- mergekit\n- merge\n- gguf\n---\n/)
    expect(section(text, 'Loading it')).toBe('```sh\nllama-cli -m model.gguf\n```')
    expect(copies).toEqual([])
  })

  test('tells tokens whose rows are cut', async () => {
    const vocabulary = (...tokens: string[]) => ({
      'tokenizer.json': JSON.stringify({
        model: { type: 'WordLevel', vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), unk_token: 'u' },
        added_tokens: [],
      }),
    })
    await writeLlamas(folder.path, {
      a: { rows: 4, files: vocabulary('u', 'x', 'y', 'zed') },
      b: { rows: 3, files: vocabulary('u', 'x', 'y') },
    })
    const text = await cardOf('merge_method: linear\nmodels: [{model: a}, {model: b}]\nparameters: {weight: 1}')
    expect(section(text, 'Notes')).toMatch(/^- .*zed/m)
  })
})

describe('the card of an adapter', () => {
  const lora = (base: string, tuned: string) =>
    `merge_method: linear\nbase_model: ${base}\nmodels: [{model: ${tuned}, parameters: {weight: 1}}]\nout_format: lora\nrank: 2\n`

  test('says of which model it is one, and how both are loaded', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    const text = await cardOf(lora('a', 'b'))
    expect(text).toMatch(/^---\nlibrary_name: peft\ntags:\n- mergekit\n- merge\n- lora\n---\n/)
    expect(text).toContain(
      `\n# Merged adapter\n\nA LoRA adapter for \`a\`: what a merge changes in it, made with mk ${program.version}.\n`,
    )
    expect(section(text, 'Loading it')).toBe(
      '```python\nfrom peft import PeftModel\nfrom transformers import AutoModelForCausalLM\n\nbase = AutoModelForCausalLM.from_pretrained("a", dtype="auto")\nmodel = PeftModel.from_pretrained(base, "path/to/this/folder")\n```',
    )
  })

  test('of a model of the hub names that one alone', async () => {
    await writeHubModel('base', commits.base)
    await writeHubModel('tuned', commits.tuned)
    const text = await cardFromHub(lora(`org/base@${commits.base}`, `org/tuned@${commits.tuned}`))
    expect(text).toMatch(/^---\nbase_model:\n- org\/base\nbase_model_relation: adapter\nlibrary_name: peft\n/)
    expect(text).toContain('base = AutoModelForCausalLM.from_pretrained("org/base", dtype="auto")')
  })
})

describe('the license of the card', () => {
  const merge = 'merge_method: linear\nmodels: [{model: a}, {model: b}]\nparameters: {weight: 1}'
  const licensed = async (a: string, b: string) => {
    await writeLlamas(folder.path, { a: { files: card(a) }, b: { files: card(b) } })
    const text = await cardOf(merge)
    return { top: text.split('\n---\n')[0]!.match(/^license.*$/gm), list: section(text, 'Licenses') }
  }

  test('is that of the inputs where they agree', async () => {
    expect(await licensed('license: apache-2.0', 'license: Apache-2.0')).toEqual({
      top: ['license: apache-2.0'],
      list: '- `a`: apache-2.0\n- `b`: apache-2.0',
    })
    const own = 'license: other\nlicense_name: mine\nlicense_link: https://x.org/L'
    expect((await licensed(own, own)).top).toEqual([
      'license: other',
      'license_name: "mine"',
      'license_link: "https://x.org/L"',
    ])
  })

  test('names no address that a page should not act on', async () => {
    const own = 'license: other\nlicense_name: mine\nlicense_link: javascript:alert(1)'
    expect((await licensed(own, own)).top).toEqual(['license: other', 'license_name: "mine"'])
  })

  test('is other, with the list, where they differ', async () => {
    expect(await licensed('license: mit', 'license: other\nlicense_name: x](y)\nlicense_link: javascript:1')).toEqual({
      top: ['license: other', 'license_name: "of-the-merged-models"'],
      list: '- `a`: mit\n- `b`: other (x\\](y))',
    })
  })

  test('is not told where one of them is not known, but the list is', async () => {
    expect(await licensed('license: mit', 'tags: []')).toEqual({ top: null, list: '- `a`: mit\n- `b`: not stated' })
    expect(await licensed('tags: []', 'tags: []')).toEqual({ top: null, list: undefined })
  })
})

describe('a method of the user’s own', () => {
  const module = (name: string) =>
    `export default { name: '${name}', summary: 'The first.', base: 'none', models: { min: 1 }, parameters: { perModel: {}, methodWide: {} }, merge: ({ models }) => models[0] }`

  test('is in the card by its name, its module beside it, and both are replaced with the output', async () => {
    await writeLlamas(folder.path, { a: {} })
    await writeFile(join(folder.path, 'own.mjs'), module('first_of_all'))
    const { out, plan } = await mergeIn(folder.path, 'merge_method: ./own.mjs\nmodels: [{model: a}]', {
      prepare: { loadMethod: loadMethodModule, allowCode: true, seed: 3 },
    })
    expect(section(cardIn(plan), 'Method')).toBe(
      "**first_of_all**, which is none of mk's own methods: [own.mjs](own.mjs). The first.\n\nRandom seed: 3.",
    )
    expect(await readdir(out)).toContain('own.mjs')
    await expect(checkOutput({ out, overwrite: true })).resolves.toBeUndefined()
    await writeFile(join(out, 'another.mjs'), '')
    await expect(checkOutput({ out, overwrite: true })).rejects.toMatchObject({ code: 'output-strangers' })
  })

  test('is not copied where there is no card', async () => {
    await writeLlamas(folder.path, { a: {} })
    await writeFile(join(folder.path, 'own.mjs'), module('mine'))
    const { copies } = await planIn(folder.path, 'merge_method: ./own.mjs\nmodels: [{model: a}]', {
      loadMethod: loadMethodModule,
      allowCode: true,
      writeModelCard: false,
    })
    expect(copies).toEqual([])
  })
})
