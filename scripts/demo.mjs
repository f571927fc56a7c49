// Installs, builds, and merges the small models of examples/ by the three recipes there, the last time for llama.cpp.
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { bootstrap, root, run } from './bootstrap.mjs'

const demos = [
  {
    recipe: 'linear',
    what: 'A weighted mean of three models',
    look: ['model.norm.weight'],
  },
  {
    recipe: 'layers',
    what: 'Layers of two models stacked, bakllama style',
    look: ['model.layers.3.mlp.up_proj.weight', 'model.layers.4.mlp.up_proj.weight'],
  },
  {
    recipe: 'gradient-slerp',
    what: 'A gradient SLERP, one gradient for attention and another for the MLPs',
    look: [
      'model.layers.1.self_attn.q_proj.weight',
      'model.layers.1.mlp.up_proj.weight',
      'model.layers.5.mlp.up_proj.weight',
    ],
  },
]
const command = join(root, 'apps/cli/bin/mergekit-yaml.cjs')

bootstrap({ devices: false })
const { readSafetensorsHeader, readTensor } = await import('../packages/safetensors/dist/node/index.js')
const { decode } = await import('../packages/tensor/dist/index.js')

for (const { recipe, what, look } of demos) {
  const config = `examples/recipes/${recipe}.yml`
  const out = `demo-output/${recipe}`
  removeOutput(out)
  console.log(`\n── ${what} ──\n\n${readFileSync(join(root, config), 'utf8').trimEnd().replace(/^/gm, '    ')}`)
  console.log(`\n$ npx mergekit-yaml ${config} ${out}`)
  const status = run(process.execPath, [command, config, out])
  if (status !== 0) process.exit(status)
  describe(out)
  const plan = JSON.parse(
    spawnSync(process.execPath, [command, config, '--dry-run', '--json', '--quiet'], { cwd: root, encoding: 'utf8' })
      .stdout,
  )
  for (const name of look) await showTensor(plan, name, out)
}
await showGguf('examples/recipes/linear.yml', 'demo-output/gguf')
console.log(
  '\nThe folders in demo-output/ load wherever models in safetensors do, model.gguf in llama.cpp, Ollama and LM Studio.',
)
console.log('Next: npx mergekit-yaml --help, or --dry-run to see a plan before anything is written.')

function removeOutput(out) {
  try {
    rmSync(join(root, out), { recursive: true, force: true })
  } catch (error) {
    console.error(`error: can't write to ${out}: ${error.code}`)
    process.exit(2)
  }
}

function describe(out) {
  const {
    num_hidden_layers: layers,
    vocab_size: tokens,
    dtype,
    torch_dtype: torchDtype,
  } = JSON.parse(readFileSync(join(root, out, 'config.json'), 'utf8'))
  console.log(`It has ${layers} layers, ${tokens} tokens, ${dtype ?? torchDtype}. The first numbers of`)
}

/** The first numbers of a merged tensor below those that it was made from. */
async function showTensor({ inputs, tensors }, name, out) {
  const { base, models, parameters } = tensors.find((tensor) => tensor.name === name).operation
  const settings = Object.entries(parameters).map(
    ([key, value]) => `${key} ${Array.isArray(value) ? value.join(', ') : value}`,
  )
  const sources = (base === undefined ? models : [base, ...models]).map((source) => ({
    label: basename(inputs[source.input].label),
    ...source,
  }))
  console.log(`  ${name} (${settings.join(', ')})`)
  for (const source of sources) {
    const where = source.name === name ? source.label : `${source.label}, as ${source.name}`
    console.log(`    ${await firstNumbers(join(root, 'examples/models', source.label), source.name)}  ${where}`)
  }
  console.log(`    ${await firstNumbers(join(root, out), name)}  merged`)
}

async function firstNumbers(folder, name) {
  const file = join(folder, 'model.safetensors')
  const { dtype } = (await readSafetensorsHeader(file)).tensors.find((tensor) => tensor.name === name)
  const numbers = new Float32Array(4)
  decode(dtype, await readTensor(file, name), 0, numbers)
  return [...numbers].map((number) => number.toFixed(4).padStart(8)).join('')
}

/** A merge straight to a GGUF, and how llama.cpp goes on from a prompt, where it is for this machine. */
async function showGguf(config, out) {
  rmSync(join(root, out), { recursive: true, force: true })
  const args = [config, out, '--out-format', 'gguf', '--out-dtype', 'q8_0']
  console.log(`\n── The weighted mean once more, as one file for llama.cpp ──\n\n$ npx mergekit-yaml ${args.join(' ')}`)
  if (run(process.execPath, [command, ...args]) !== 0) process.exit(1)
  const file = join(root, out, 'model.gguf')
  const info = spawnSync(process.execPath, [join(root, 'apps/cli/bin/mk-gguf.cjs'), 'info', `${out}/model.gguf`], {
    cwd: root,
    encoding: 'utf8',
  })
  console.log(`\n$ npx mk-gguf info ${out}/model.gguf\n${info.stdout.split('\n')[0]}`)
  const prompt = 'The model is'
  try {
    const { getLlama, LlamaCompletion, LlamaLogLevel } = await import('node-llama-cpp')
    const llama = await getLlama({ gpu: false, build: 'never', progressLogs: false, logLevel: LlamaLogLevel.error })
    const model = await llama.loadModel({ modelPath: file })
    const context = await model.createContext({ contextSize: 128 })
    const completion = new LlamaCompletion({ contextSequence: context.getSequence() })
    const text = await completion.generateCompletion(prompt, { maxTokens: 24, temperature: 0 })
    console.log(`llama.cpp goes on: ${JSON.stringify(prompt + text)}`)
    await llama.dispose()
  } catch {
    console.log(
      `llama.cpp itself isn't here for ${process.platform}-${process.arch}; llama-cli -m ${out}/model.gguf goes on from there.`,
    )
  }
}
