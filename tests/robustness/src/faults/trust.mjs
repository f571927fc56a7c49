import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { errorLine, faultOfEnd, mergeCommand } from '../merge-command.mjs'
import { runCommand } from '../run-command.mjs'
import { openWorkplace } from './workplace.mjs'

/**
 * What a stranger's recipe or model may not do, and what a slip of the hand may not delete.
 * @param {import('./context.mjs').FaultContext} context
 */
export async function trust({ report, work }) {
  const place = await openWorkplace({ folder: join(work, 'trust'), library: undefined, beginning: 'fresh' })
  await codeOfRecipes({ report, place })
  await placesOfOverwrite({ report, place })
  await linksInModels({ report, place })
  place.close()
}

/** The code of a module runs only where that was asked for, and never where nothing is to be done. */
async function codeOfRecipes({ report, place }) {
  const scenario = 'a recipe that names code'
  const mark = join(place.folder, 'it-ran')
  writeFileSync(
    join(place.folder, 'module.mjs'),
    `import { writeFileSync } from 'node:fs'\nwriteFileSync(${JSON.stringify(mark)}, '')\n`,
  )
  const absolute = join(place.folder, 'module.mjs')
  for (const module of ['./module.mjs', absolute, `file://${absolute}`]) {
    for (const options of [[], ['--dry-run'], ['--dry-run', '--allow-code'], ['--explain-tokens']]) {
      writeFileSync(join(place.folder, 'code.yml'), `merge_method: ${module}\nmodels: [{model: models/llama-ft1}]\n`)
      rmSync(mark, { force: true })
      place.reset()
      report.checked(scenario)
      const ended = await runCommand(mergeCommand(join(place.folder, 'code.yml'), place.out, options), {
        cwd: place.folder,
      })
      const detail = `${place.shorten(module)} ${options.join(' ')}: ${place.shorten(errorLine(ended))}`
      if (existsSync(mark)) report.finding(scenario, 'the code ran', detail)
      else if (ended.status === 0) report.finding(scenario, 'status 0', detail)
      else if (faultOfEnd(ended) !== undefined) report.finding(scenario, faultOfEnd(ended), detail)
    }
  }
  report.endScenario(scenario)
}

/** `--overwrite` does not delete where one stands or lives. */
async function placesOfOverwrite({ report, place }) {
  const scenario = '--overwrite of a folder that is no output'
  const home = join(place.folder, 'home')
  const here = join(home, 'project', 'here')
  const outs = {
    'an empty OUT': '',
    '.': '.',
    'the folder above': '..',
    'the home folder': home,
    'the recipe’s folder': '../recipes',
  }
  for (const [name, out] of Object.entries(outs)) {
    // What is tried here may delete what is there.
    if (!resolve(here, out).startsWith(home)) throw new Error(`${out} is outside of the place to try things in`)
    rmSync(home, { recursive: true, force: true })
    for (const folder of [here, join(home, 'project', 'recipes')]) {
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, 'config.json'), 'mine')
    }
    const recipe = readFileSync(join(place.folder, 'recipe.yml'), 'utf8').replaceAll(
      'models/',
      `${place.folder}/models/`,
    )
    writeFileSync(join(home, 'project', 'recipes', 'recipe.yml'), recipe)
    report.checked(scenario)
    const ended = await runCommand(mergeCommand('../recipes/recipe.yml', out, ['--overwrite']), {
      cwd: here,
      env: { HOME: home },
    })
    const isKept = [here, join(home, 'project', 'recipes')].every((folder) => isMine(join(folder, 'config.json')))
    if (!isKept) report.finding(scenario, 'what was there is gone', `${name}: status ${ended.status}`)
    else if (ended.status === 0) report.finding(scenario, 'status 0', name)
    else if (faultOfEnd(ended) !== undefined)
      report.finding(scenario, faultOfEnd(ended), `${name}: ${errorLine(ended)}`)
  }
  report.endScenario(scenario)
}

const isMine = (file) => existsSync(file) && readFileSync(file, 'utf8') === 'mine'

/** A file of a model that is a link to a file of one's own does not come into an output that one publishes. */
async function linksInModels({ report, place }) {
  const scenario = 'a model’s file that is a link to a file of one’s own'
  const secret = join(place.folder, 'secret')
  writeFileSync(secret, 'a private key')
  for (const name of ['chat_template.jinja', 'tokenizer.model', 'generation_config.json', 'special_tokens_map.json']) {
    place.restoreInputs()
    place.reset()
    rmSync(join(place.folder, 'models', 'llama-ft1', name), { force: true })
    symlinkSync(secret, join(place.folder, 'models', 'llama-ft1', name))
    report.checked(scenario)
    const ended = await place.run()
    const copied =
      existsSync(join(place.out, name)) && readFileSync(join(place.out, name), 'utf8').includes('private key')
    if (copied && !/link/.test(ended.stderr)) report.finding(scenario, 'it was copied without a word', name)
    else if (faultOfEnd(ended) !== undefined)
      report.finding(scenario, faultOfEnd(ended), `${name}: ${errorLine(ended)}`)
  }
  place.restoreInputs()
  report.endScenario(scenario)
}
