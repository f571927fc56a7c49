import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { differences, readTree } from '../../robustness/src/folder-tree.mjs'
import { runCommand, startCommand } from '../../robustness/src/run-command.mjs'
import { writeCheckpoint } from '../../robustness/src/write-checkpoint.mjs'
import { expect } from './checks.mjs'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const bins = { 'mergekit-yaml': 'cli', 'mk-slurm': 'cli', 'mk-queue': 'queue' }

/** A method that takes long for its bytes, so that there is a middle in which something can happen. */
const recipe = (folder) =>
  `merge_method: della\nbase_model: ${folder}/models/base\ndtype: bfloat16\nmodels:\n` +
  ['a', 'b']
    .map((name) => `  - model: ${folder}/models/${name}\n    parameters: {weight: 0.5, density: 0.5, epsilon: 0.1}\n`)
    .join('')

/**
 * Makes the models, the recipe, and what one run of it gives; the commands lie in `bin`, as if they were installed.
 * @param {string} folder an empty one
 */
export async function openWorkplace(folder) {
  mkdirSync(join(folder, 'bin'))
  for (const [name, app] of Object.entries(bins)) {
    const file = join(folder, 'bin', name)
    writeFileSync(file, `#!/bin/sh\nexec '${process.execPath}' '${root}apps/${app}/bin/${name}.cjs' "$@"\n`)
    chmodSync(file, 0o755)
  }
  for (const [index, name] of ['base', 'a', 'b'].entries())
    writeCheckpoint(join(folder, 'models', name), { megabytes: 24, seed: index + 1 })
  writeFileSync(join(folder, 'recipe.yml'), recipe(folder))
  const env = { PATH: `${join(folder, 'bin')}:${process.env.PATH}` }

  const place = {
    folder,
    env,
    recipe: join(folder, 'recipe.yml'),
    plan: join(folder, 'plan.json'),
    /** Runs one of the commands. @param {readonly string[]} command @param {object} [options] */
    run: (command, options) => runCommand(command, { cwd: folder, ...options, env: { ...env, ...options?.env } }),
    /** Starts one of the commands. @param {readonly string[]} command @param {object} [options] */
    start: (command, options) => startCommand(command, { cwd: folder, ...options, env: { ...env, ...options?.env } }),
    /** Runs one that has to go well. @param {readonly string[]} command @param {object} [options] */
    async must(command, options) {
      const ended = await place.run(command, options)
      if (ended.status !== 0) throw new Error(`${command.join(' ')}: ${ended.status ?? ended.signal}\n${ended.stderr}`)
      return ended.stdout
    },
    /** A folder for an output of its own; what comes out is always called `merged`, as cards tell. @param {string} name */
    outIn(name) {
      mkdirSync(join(folder, name))
      return join(folder, name, 'merged')
    },
    /** Checks that an output is what one run gives, and that nothing else is left. @param {string} out */
    checkOutput(out) {
      const found = differences(readTree(out), reference)
      expect(found.length === 0, `${out} differs from one run in ${found.join(', ')}`)
      const others = readdirSync(join(out, '..')).filter((name) => name !== 'merged' && name !== 'merged.slurm')
      expect(others.length === 0, `beside ${out} there is ${others.join(', ')}`)
    },
  }
  const whole = place.outIn('whole')
  await place.must(['mergekit-yaml', place.recipe, whole, '--quiet'])
  const reference = readTree(whole)
  await place.must(['mergekit-yaml', place.recipe, whole, '--plan-out', place.plan, '--quiet'])
  return place
}

/** Lists the processes that have a text in their arguments or environment, by number. @param {string} text */
export function processesWith(text) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((id) => ['cmdline', 'environ'].some((file) => readOf(`/proc/${id}/${file}`).includes(text)))
    .map(Number)
}

/** Of what is gone, or another user's, nothing. */
function readOf(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
