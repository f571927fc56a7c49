// Installs, builds, and merges the small models of examples/ by the three recipes there, telling what happens.
import { existsSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { bootstrap, root, run } from './bootstrap.mjs'

const demos = [
  { recipe: 'linear', what: 'A weighted mean of three models' },
  { recipe: 'layers', what: 'Layers of two models stacked, bakllama style' },
  { recipe: 'gradient-slerp', what: 'A gradient SLERP, with other gradients for attention and MLP' },
]

bootstrap()
for (const { recipe, what } of demos) {
  const config = `examples/recipes/${recipe}.yml`
  const out = `demo-output/${recipe}`
  rmSync(join(root, out), { recursive: true, force: true })
  console.log(`\n── ${what} ──\n`)
  console.log(readFileSync(join(root, config), 'utf8').trimEnd().replace(/^/gm, '    '))
  console.log(`\n$ npx mergekit-yaml ${config} ${out}`)
  const status = run(process.execPath, [join(root, 'apps/cli/bin/mergekit-yaml.mjs'), config, out])
  if (status !== 0) process.exit(status)
  describe(out)
}
console.log(`\nEach folder under demo-output/ is a model that loads wherever safetensors do. Next: npx mergekit-yaml --help`)

function describe(out) {
  const folder = join(root, out)
  const { num_hidden_layers: layers, vocab_size: vocabulary, dtype, torch_dtype: torchDtype } = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'))
  console.log(`${layers} layers, ${vocabulary} tokens, ${dtype ?? torchDtype}; in the folder:`)
  for (const name of readdirSync(folder).sort()) console.log(`    ${name.padEnd(26)} ${statSync(join(folder, name)).size} bytes`)
  if (!existsSync(join(folder, 'model.safetensors'))) process.exit(1)
}
