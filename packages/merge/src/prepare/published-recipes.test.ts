import { rename } from 'node:fs/promises'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { mergeIn, prepareIn } from '../__fixtures__/merge.ts'
import { useFolder, writeLlamas, writeModel } from '../__fixtures__/models.ts'

// Recipes as they stand on model cards and pages, but for the names of the models; the first line of each names the source.
// mergekit 0.1.4 makes all of them but the two whose parameter is a text.

const published = new URL('../__fixtures__/published/', import.meta.url)
const recipes = readdirSync(published).map(
  (file) => [file.replace('.yml', ''), readFileSync(new URL(file, published), 'utf8')] as const,
)

/** What is ignored, in notes and warnings, by the recipe that has it; the others have nothing that has no meaning here. */
const ignored: Readonly<Record<string, readonly string[]>> = {
  '4kmerge-34b': ['name'],
  'athena-apollo-8b': ['name'],
  'dpopenhermes-11b': ['revision'],
  'foxfire-bloom-12b': ['lamda'],
  'fusion-1b': ['weight'],
  'fusionlm-7b': ['dtype'],
  'geneticlemonade-base': ['dype', 'select_topk'],
  'geneticlemonade-final': ['dype', 'select_topk'],
  'glorious-base-8b': ['glorious_base'],
  'hekate-12b': ['weight'],
  'hermes-metamath-8b': ['int_space'],
  'sce-1b': ['allow_negative_weights', 'density', 'filter_wise', 'lambda', 'normalize', 'rescale', 'smooth', 'weight'],
  'vermilion-slerp-12b': ['name', 'normalize'],
  'vortex5-karcher-12b': ['name'],
}
/** Which of these nothing here knows, so that without `lenient` they are errors. */
const unknown = new Set([
  'dtype',
  'dype',
  'select_topk',
  'glorious_base',
  'int_space',
  'lamda',
  'revision',
  'allow_negative_weights',
  'smooth',
])

const folder = useFolder()
const tokenizer = JSON.stringify({
  model: { type: 'WordLevel', vocab: { u: 0, a: 1, b: 2, c: 3, d: 4, e: 5 }, unk_token: 'u' },
  added_tokens: [],
})
const files = { 'tokenizer.json': tokenizer, 'tokenizer_config.json': '{"tokenizer_class": "PreTrainedTokenizerFast"}' }

async function writeInputs(text: string): Promise<void> {
  const layers = Math.max(2, ...[...text.matchAll(/layer_range: \[\d+, (\d+)\]/g)].map(([, end]) => Number(end)))
  const names = new Set([...text.matchAll(/(?:model|source): (?:\.\/)?(base|[a-f])\b/g)].map(([, name]) => name!))
  const named = /tokenizer_source: ([a-f])\b/.exec(text)?.[1]
  if (named !== undefined) names.add(named)
  await writeLlamas(folder.path, Object.fromEntries([...names].map((name) => [name, { layers, files }])))
  if (text.includes('+lora')) await writeAdapter(join(folder.path, 'lora'))
}

async function writeAdapter(path: string): Promise<void> {
  const prefix = 'base_model.model.model.layers.7.self_attn.q_proj'
  await writeModel(path, {
    tensors: { [`${prefix}.lora_A.weight`]: { shape: [2, 4] }, [`${prefix}.lora_B.weight`]: { shape: [4, 2] } },
    files: { 'adapter_config.json': '{"peft_type": "LORA", "r": 2, "lora_alpha": 2}' },
  })
  await rename(join(path, 'model.safetensors'), join(path, 'adapter_model.safetensors'))
}

describe('published recipes', () => {
  it.each(recipes)('%s merges when lenient, and each thing that is ignored is named', async (name, text) => {
    await writeInputs(text)
    const { plan, warnings } = await prepareIn(folder.path, text, { lenient: true })
    expect(plan.tensors.length).toBeGreaterThan(8)
    const named = [...warnings, ...plan.notes].flatMap(
      (line) => /^\S+:\d+:\d+: (?=.*ignored).*?'(\w+)'/.exec(line)?.[1] ?? [],
    )
    expect([...new Set(named)].toSorted()).toEqual(ignored[name] ?? [])
    // Plans tell enough of those with many layers.
    if (!text.includes('layer_range')) await mergeIn(folder.path, text, { prepare: { lenient: true } })
  })

  it.each(recipes.filter(([name]) => ignored[name]?.some((key) => unknown.has(key))))(
    '%s is refused otherwise, and the error names it',
    async (name, text) => {
      const error: unknown = await prepareIn(folder.path, text).catch((reason: unknown) => reason)
      for (const key of ignored[name]!.filter((each) => unknown.has(each)))
        expect((error as Error).message).toContain(`'${key}'`)
    },
  )
})
