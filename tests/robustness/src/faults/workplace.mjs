import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { shimEnvironment } from '../build-shim.mjs'
import { readTree } from '../folder-tree.mjs'
import { mergeCommand } from '../merge-command.mjs'
import { runCommand, startCommand } from '../run-command.mjs'
import { interruptMerge } from './interrupt-merge.mjs'

const goldens = fileURLToPath(new URL('../../../../goldens/models/', import.meta.url))

/** Small, in two shards, and with everything that a merge writes: tokenizer, card, index. */
const smallRecipe = (weight) =>
  `merge_method: linear\nbase_model: models/llama-ft1\ntokenizer_source: base\ndtype: float32\nmodels:\n` +
  [`llama-ft1`, `llama-ft2`].map((name) => `  - model: models/${name}\n    parameters: {weight: ${weight}}\n`).join('')

/** @typedef {'fresh' | 'overwrite' | 'inside' | 'resume' | 'other'} Beginning what is at OUT, and beside it, before a merge */

/** @type {Readonly<Record<Beginning, string>>} */
export const beginnings = {
  fresh: 'OUT does not exist',
  overwrite: 'OUT is an older merge and --overwrite is given',
  inside: 'OUT is a mounted volume',
  resume: 'the same merge was interrupted',
  other: 'the merge of another recipe was interrupted',
}

/**
 * Opens a folder in which one small merge is done over and over: `models` and the recipe, and `place`, where OUT is.
 * @param {{ folder: string, library: string | undefined, beginning: Beginning }} options `library`: the shim
 */
export async function openWorkplace({ folder, library, beginning }) {
  const place = join(folder, 'place')
  const out = join(place, 'out')
  const begun = join(folder, 'begun')
  const options = ['-j', '1', '--out-shard-size', '40KB', ...(beginning === 'overwrite' ? ['--overwrite'] : [])]
  mkdirSync(folder, { recursive: true })
  restoreInputs()
  writeFileSync(join(folder, 'recipe.yml'), smallRecipe(0.6))
  writeFileSync(join(folder, 'other.yml'), smallRecipe(0.3))

  function restoreInputs() {
    rmSync(join(folder, 'models'), { recursive: true, force: true })
    for (const name of ['llama-ft1', 'llama-ft2', 'llama-ft3'])
      cpSync(join(goldens, name), join(folder, 'models', name), { recursive: true, preserveTimestamps: true })
  }

  const commandOf = (recipe) => mergeCommand(join(folder, recipe), out, options)
  /** @param {{ fault?: string, log?: string, recipe?: string, path?: string, before?: readonly string[], timeoutMs?: number }} [how] */
  const argumentsOf = ({
    fault,
    log,
    recipe = 'recipe.yml',
    path = `${folder}/`,
    before = [],
    timeoutMs = 180_000,
  } = {}) => [
    [...before, ...commandOf(recipe)],
    {
      cwd: folder,
      timeoutMs,
      env: fault === undefined && log === undefined ? {} : shimEnvironment({ library, path, fault, log }),
    },
  ]
  const run = (how) => runCommand(...argumentsOf(how))
  const start = (how) => startCommand(...argumentsOf(how))

  function empty() {
    if (beginning === 'inside') spawnSync('umount', [out])
    rmSync(place, { recursive: true, force: true })
  }

  /** Brings back what was there in the beginning. */
  function reset() {
    empty()
    if (existsSync(begun)) cpSync(begun, place, { recursive: true, preserveTimestamps: true })
    else mkdirSync(place)
    if (beginning === 'inside') mount(out)
  }

  /** Runs a merge, and tells which operations it did. @param {string} [fault] */
  async function runLogged(fault) {
    const log = join(folder, 'operations')
    rmSync(log, { force: true })
    const ended = await run({ log, ...(fault !== undefined && { fault }) })
    const operations = readFileSync(log, 'utf8')
      .trim()
      .split('\n')
      .map((line) => ({ operation: line.slice(0, line.indexOf(' ')), path: line.slice(line.indexOf(' ') + 1) }))
    return { ended, operations }
  }

  /** Operations that one undisturbed merge does from the beginning. */
  async function logOperations() {
    reset()
    const { ended, operations } = await runLogged()
    if (ended.status !== 0) throw new Error(`an undisturbed merge ends with ${ended.status}: ${ended.stderr}`)
    return operations
  }

  await prepare()
  reset()
  const whole = await run()
  if (whole.status !== 0) throw new Error(`a merge (${beginning}) ends with ${whole.status}: ${whole.stderr}`)
  const reference = readTree(out)

  async function prepare() {
    if (beginning === 'fresh' || beginning === 'inside') return
    mkdirSync(place)
    if (beginning === 'overwrite') {
      const ended = await run({ recipe: 'other.yml' })
      if (ended.status !== 0) throw new Error(`the older merge ends with ${ended.status}: ${ended.stderr}`)
    } else {
      const recipe = beginning === 'resume' ? 'recipe.yml' : 'other.yml'
      let stderr = ''
      const isInterrupted = await interruptMerge({
        clear() {
          rmSync(place, { recursive: true })
          mkdirSync(place)
        },
        merge: async (fault) => ({ stderr } = await run({ recipe, fault, path: '.safetensors' })),
        hasEnded: () => existsSync(out),
      })
      if (!isInterrupted) throw new Error(`a merge could not be interrupted: ${stderr}`)
    }
    cpSync(place, begun, { recursive: true, preserveTimestamps: true })
  }

  return {
    folder,
    place,
    out,
    reference,
    old: beginning === 'overwrite' ? readTree(join(begun, 'out')) : undefined,
    run,
    start,
    reset,
    restoreInputs,
    logOperations,
    runLogged,
    outTree: () => readTree(out),
    /** What is in the folder of OUT that is not OUT. */
    strangers: () => (existsSync(place) ? readdirSync(place).filter((name) => name !== 'out') : []),
    /** Without the folder, as in a report. @param {string} text */
    shorten: (text) => text.replaceAll(`${folder}/`, ''),
    close() {
      empty()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** @param {string} folder @param {string} [size] as mount takes it */
export function mount(folder, size = '64m') {
  mkdirSync(folder, { recursive: true })
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`mount: ${stderr}`)
}

/** Unmounts what is left mounted below a folder. @param {string} folder */
export function unmountBelow(folder) {
  if (!existsSync('/proc/mounts')) return
  const mounts = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
  for (const path of mounts.filter((path) => path.startsWith(`${folder}/`))) spawnSync('umount', [path])
}

/** Why a file system cannot be mounted here. @param {string} folder @returns {string | undefined} */
export function whyNoMount(folder) {
  if (process.getuid?.() !== 0) return 'only root can mount'
  try {
    mount(join(folder, 'mount'))
  } catch {
    return 'this machine lets nobody mount'
  }
  spawnSync('umount', [join(folder, 'mount')])
  return undefined
}
