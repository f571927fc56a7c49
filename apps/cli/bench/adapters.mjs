// Times merges into adapters, and their extraction, as whole processes. Usage: node apps/cli/bench/adapters.mjs [--size 1.1B]
// [--threads 2] [--models FOLDER] [--out FOLDER] [NAME…]
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseFlags } from './parse-flags.mjs'
import { fail, here, shardsOf, timed, warmUp } from './processes.mjs'
import { makeAdapter, makeModel } from './synthetic-model.mjs'

const { flags, positionals } = parseFlags(
  ['size', 'threads', 'models'],
  { out: join(tmpdir(), 'mk-bench-adapters') },
  { allowPositionals: true },
)

const model = (index) => makeModel(flags.models, flags.size, index)
const adapted = ([index, rank]) => `${model(0)}+${makeAdapter(flags.models, flags.size, { index, rank })}`
const two = [
  [1, 16],
  [2, 32],
]
const three = [...two, [3, 64]]
const merged = (method, models, parameters, more = {}) => ({
  merge_method: method,
  base_model: model(0),
  models: models.map((name) => ({ model: name, parameters })),
  out_format: 'lora',
  ...more,
})
const ofAdapters = (method, adapters, parameters, more) => () =>
  merged(method, adapters.map(adapted), { weight: 0.5, ...parameters }, more)

/** What is measured: a recipe, or the fine-tune that an adapter is extracted from. */
const cases = {
  'linear, ranks 16 and 32': ofAdapters('linear', two),
  'task_arithmetic, ranks 16, 32 and 64': ofAdapters('task_arithmetic', three),
  'the same, cut to rank 32 (PEFT: svd)': ofAdapters('task_arithmetic', three, {}, { rank: 32 }),
  'ties, ranks 16 and 32, rank 32': ofAdapters('ties', two, { density: 0.5 }, { rank: 32 }),
  'ties, ranks 16 and 32, KnOTS': ofAdapters('ties', two, { density: 0.5 }, { adapter_space: 'knots' }),
  'task_arithmetic of two fine-tunes, rank 32': () =>
    merged('task_arithmetic', [model(1), model(2)], { weight: 0.5 }, { rank: 32 }),
  'ties of two fine-tunes, rank 32': () =>
    merged('ties', [model(1), model(2)], { weight: 1, density: 0.5 }, { rank: 32 }),
  'mergekit-extract-lora, rank 32': undefined,
}
const names = positionals.length > 0 ? positionals : Object.keys(cases)
for (const name of names) if (!(name in cases)) fail(`no case '${name}'; there are ${Object.keys(cases).join(' · ')}`)

mkdirSync(flags.out, { recursive: true })
console.log(`${flags.size} bf16, ${flags.threads} threads; seconds of the wall clock and of the processor`)
console.log('| | seconds | user | system | peak memory, MB |')
console.log('|---|--:|--:|--:|--:|')
for (const name of names) {
  const out = join(flags.out, 'adapter')
  rmSync(out, { recursive: true, force: true })
  const { seconds, userSeconds, systemSeconds, peakBytes } = await timed(commandOf(name, out))
  const figures = [seconds, userSeconds, systemSeconds].map((figure) => figure.toFixed(1))
  console.log(`| ${[name, ...figures, Math.round(peakBytes / 1e6)].join(' | ')} |`)
}
rmSync(flags.out, { recursive: true })

function commandOf(name, out) {
  const more = ['--threads', flags.threads, '--quiet']
  if (cases[name] === undefined) {
    warmUp([0, 1].flatMap((index) => shardsOf(model(index))))
    return [
      here('../bin/mergekit-extract-lora.cjs'),
      '--model',
      model(1),
      '--base-model',
      model(0),
      '--out-path',
      out,
      '--max-rank',
      '32',
      ...more,
    ]
  }
  const file = join(flags.out, 'recipe.yml')
  writeFileSync(file, JSON.stringify(cases[name]()))
  return [here('../bin/mergekit-yaml.cjs'), file, out, ...more]
}
