// A union of three vocabularies of 150,000 tokens: times the merge of their embeddings (150,000 × 4,096 bf16 each) against only
// reading and writing as many bytes. One model has tokens of its own, another the same tokens in another order.
// Usage: node bench/union.mjs [--rows 150000] [--width 4096] [--runs 3] [--threads 2] [--models FOLDER] [--out FOLDER]
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseFlags } from './parse-flags.mjs'
import { comparePairs, here, makeFloor, shardsOf, warmUp } from './processes.mjs'
import { writeShard } from './synthetic-model.mjs'

const { flags } = parseFlags(['threads', 'runs', 'models', 'out'], { rows: '150000', width: '4096' })
const rows = Number(flags.rows)
const width = Number(flags.width)
const models = ['base', 'extended', 'shuffled'].map(makeModel)
const inputs = models.flatMap(shardsOf)
mkdirSync(flags.out, { recursive: true })
warmUp(inputs)

const floor = makeFloor()
console.log(
  `union of three vocabularies of ${rows} tokens, ${width} wide, bf16, ${flags.threads} threads, median of ${flags.runs} pairs`,
)
console.log('| setting | × floor | seconds | peak memory, MB |')
console.log('|---|---|---|---|')
for (const [name, setting] of Object.entries({
  'tokenizer: {source: union}': { tokenizer: { source: 'union' } },
  'tokenizer_source: union': { tokenizer_source: 'union' },
})) {
  const config = join(flags.out, 'union.yml')
  writeFileSync(
    config,
    JSON.stringify({
      merge_method: 'linear',
      base_model: models[0],
      models: models.map((model) => ({ model, parameters: { weight: 0.3 } })),
      ...setting,
    }),
  )
  const { ratio, seconds, peakBytes } = await comparePairs({
    floor,
    merge: (out) => [
      here('../bin/mergekit-yaml.cjs'),
      config,
      out,
      '--threads',
      flags.threads,
      '--overwrite',
      '--quiet',
    ],
    inputs,
    out: flags.out,
    threads: flags.threads,
    runs: Number(flags.runs),
  })
  console.log(`| \`${name}\` | ${ratio.toFixed(2)} | ${seconds.toFixed(2)} | ${Math.round(peakBytes / 1e6)} |`)
}
floor.close()
rmSync(flags.out, { recursive: true })

function makeModel(kind, index) {
  const folder = join(flags.models, `vocabulary-${rows}x${width}-${kind}`)
  if (existsSync(join(folder, 'config.json'))) return folder
  mkdirSync(folder, { recursive: true })
  const base = Array.from({ length: rows - 200 }, (_, id) => `t${id.toString(36)}`)
  const tokens =
    kind === 'extended'
      ? [...base, ...Array.from({ length: 100 }, (_, id) => `own${id}`)]
      : kind === 'shuffled'
        ? shuffle(base)
        : base
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]))
  writeFileSync(
    join(folder, 'tokenizer.json'),
    JSON.stringify({ version: '1.0', added_tokens: [], model: { type: 'BPE', vocab, merges: [] } }),
  )
  writeFileSync(join(folder, 'tokenizer_config.json'), '{}')
  const config = {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_size: width,
    num_hidden_layers: 0,
    vocab_size: rows,
    tie_word_embeddings: true,
  }
  writeShard(
    join(folder, 'model.safetensors'),
    [{ name: 'model.embed_tokens.weight', dtype: 'BF16', shape: [rows, width] }],
    index,
  )
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
  return folder
}

/** Every run of 16 tokens keeps together, as in vocabularies that grew from one another; the runs change places. */
function shuffle(tokens) {
  const runs = Array.from({ length: Math.ceil(tokens.length / 16) }, (_, run) => tokens.slice(16 * run, 16 * run + 16))
  return runs.map((_, run) => runs[(run * 7919) % runs.length]).flat()
}
