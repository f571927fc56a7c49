import { chmodSync, chownSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isSameTree, readTree } from '../folder-tree.mjs'
import { errorLine, faultOfEnd, looksFinished, mergeCommand } from '../merge-command.mjs'
import { runCommand } from '../run-command.mjs'
import { openWorkplace } from './workplace.mjs'

/** The number of the user `nobody` nearly everywhere. */
const nobody = 65534

/** What stands in the way of a merge, made with `folder`; every one is a mistake that shows before anything is written. */
const obstacles = {
  'config.json may not be read': ({ model }) => chmodSync(join(model, 'config.json'), 0),
  'weights may not be read': ({ model }) => chmodSync(join(model, 'model.safetensors'), 0),
  'tokenizer.json may not be read': ({ model }) => chmodSync(join(model, 'tokenizer.json'), 0),
  'a model’s folder may not be entered': ({ model }) => chmodSync(model, 0),
  'the folder of OUT may not be written': ({ place }) => chmodSync(place, 0o555),
  'OUT is a file': ({ out }) => writeFileSync(out, 'mine'),
  'OUT is a link to nowhere': ({ out }) => symlinkSync('nowhere', out),
  'OUT is a link to a file': ({ out, place }) => {
    writeFileSync(join(place, 'file'), 'mine')
    symlinkSync('file', out)
  },
  'OUT has files of somebody’s own': ({ out }) => {
    mkdirSync(out)
    writeFileSync(join(out, 'thesis.txt'), 'mine')
  },
}

/**
 * What may not be read or written: one error, before anything is written, as a user without rights.
 * @param {import('./context.mjs').FaultContext} context
 */
export async function permissions({ report, work }) {
  if (process.platform === 'win32') return report.skipped('permissions', 'there are none of this kind here')
  const asUser = process.getuid() === 0 ? { uid: nobody, gid: nobody } : {}
  const place = await openWorkplace({ folder: join(work, 'permissions'), library: undefined, beginning: 'fresh' })
  const canRun = await runCommand([...mergeCommand('x', 'y').slice(0, 2), '--version'], { ...asUser, cwd: '/' })
  if (canRun.status !== 0) return report.skipped('permissions', 'another user cannot run the program here')
  chmodSync(work, 0o755)
  const run = (options = []) =>
    runCommand(
      mergeCommand(join(place.folder, 'recipe.yml'), place.out, ['-j', '1', '--out-shard-size', '40KB', ...options]),
      {
        ...asUser,
        cwd: place.folder,
      },
    )
  for (const [scenario, put] of Object.entries(obstacles)) {
    for (const options of scenario.startsWith('OUT') ? [[], ['--overwrite']] : [[]]) {
      place.reset()
      const model = join(place.folder, 'models', 'llama-ft2')
      if (asUser.uid !== undefined) chownSync(place.place, nobody, nobody)
      put({ model, place: place.place, out: place.out })
      const before = readTree(place.place)
      report.checked(scenario)
      const ended = await run(options)
      const what = judge({ place, ended, before })
      if (what !== undefined) report.finding(scenario, what, place.shorten(`${options.join()} ${errorLine(ended)}`))
      restore(place, model)
    }
    report.endScenario(scenario)
  }
  await overwriteStrangers({ report, place, run })
  place.close()
}

function restore(place, model) {
  chmodSync(place.place, 0o755)
  chmodSync(model, 0o755)
  place.restoreInputs()
}

function judge({ place, ended, before }) {
  const fault = faultOfEnd(ended)
  if (fault !== undefined) return fault
  if (ended.status !== 0) {
    if (!isSameTree(readTree(place.place), before))
      return `an error, but the folder of OUT has changed: ${readdirSync(place.place)}`
    return undefined
  }
  return looksFinished(place.out) ? 'status 0: what was at OUT is gone' : 'status 0 without an output'
}

/** `--overwrite` replaces what a merge could have written, and nothing else. */
async function overwriteStrangers({ report, place, run }) {
  const scenario = '--overwrite over what no merge has written'
  const strangers = {
    'a text': (out) => writeFileSync(join(out, 'thesis.txt'), 'mine'),
    'a repository': (out) => mkdirSync(join(out, '.git')),
    'a model and a text': (out) => {
      writeFileSync(join(out, 'config.json'), '{}')
      writeFileSync(join(out, 'notes.txt'), 'mine')
    },
  }
  for (const [name, put] of Object.entries(strangers)) {
    place.reset()
    mkdirSync(place.out)
    put(place.out)
    if (process.getuid() === 0) for (const path of [place.place, place.out]) chownSync(path, nobody, nobody)
    const before = readdirSync(place.out).toSorted().join()
    report.checked(scenario)
    const ended = await run(['--overwrite'])
    const isKept = readdirSync(place.out).toSorted().join() === before
    if (ended.status === 0) report.finding(scenario, 'status 0: it is gone', name)
    else if (!isKept) report.finding(scenario, 'an error, but it is gone', `${name}: ${errorLine(ended)}`)
    rmSync(place.out, { recursive: true })
  }
  report.endScenario(scenario)
}
