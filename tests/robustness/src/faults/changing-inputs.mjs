import { copyFileSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { differences, isSameTree } from '../folder-tree.mjs'
import { errorLine, faultOfEnd, looksFinished } from '../merge-command.mjs'
import { waitForStop } from './process-state.mjs'
import { spread } from './sample.mjs'
import { openWorkplace } from './workplace.mjs'

/** What another program does to a model's folder; `other` is a model of the same form. */
const changes = {
  'weights shrink': (folder) => truncateSync(join(folder, 'model.safetensors'), 5000),
  'weights vanish': (folder) => rmSync(join(folder, 'model.safetensors')),
  'weights are replaced': (folder, other) => {
    copyFileSync(join(other, 'model.safetensors'), join(folder, 'new'))
    renameSync(join(folder, 'new'), join(folder, 'model.safetensors'))
  },
  'weights are written over': (folder, other) =>
    writeFileSync(join(folder, 'model.safetensors'), readFileSync(join(other, 'model.safetensors')), { flag: 'r+' }),
  'config.json vanishes': (folder) => rmSync(join(folder, 'config.json')),
  'config.json changes': (folder) => {
    const text = readFileSync(join(folder, 'config.json'), 'utf8')
    writeFileSync(join(folder, 'config.json'), text.replace('{', '{"changed": true,'))
  },
  'tokenizer.json vanishes': (folder) => rmSync(join(folder, 'tokenizer.json')),
  'the folder vanishes': (folder) => rmSync(folder, { recursive: true }),
}

/**
 * Changes an input while it is merged: the bytes of before, or an error; never a mixture.
 * @param {import('./context.mjs').FaultContext} context
 */
export async function changingInputs({ report, shim, work, isQuick }) {
  if (shim.missing !== undefined) return report.skipped('changing inputs', shim.missing)
  const place = await openWorkplace({ folder: join(work, 'changing'), library: shim.library, beginning: 'fresh' })
  const writes = (await place.logOperations()).filter(({ operation }) => operation === 'write').length
  const other = join(place.folder, 'models', 'llama-ft3')
  for (const [scenario, change] of Object.entries(changes)) {
    for (const model of isQuick ? ['llama-ft1'] : ['llama-ft1', 'llama-ft2']) {
      for (const nth of spread(writes, isQuick ? 3 : 12)) {
        place.restoreInputs()
        place.reset()
        report.checked(scenario)
        const merge = place.start({ fault: `write:${nth}:stop`, path: `${place.place}/` })
        if (!(await waitForStop(merge))) continue
        change(join(place.folder, 'models', model), other)
        merge.kill('SIGCONT')
        const ended = await merge.ended
        const what = judge(place, ended)
        if (what !== undefined)
          report.finding(scenario, what, `${model}, at write ${nth} of ${writes}: ${place.shorten(errorLine(ended))}`)
      }
    }
    report.endScenario(scenario)
  }
  place.close()
}

function judge(place, ended) {
  const fault = faultOfEnd(ended)
  if (fault !== undefined) return fault
  const tree = place.outTree()
  if (ended.status !== 0) return looksFinished(place.out) ? 'an error, but OUT looks finished' : undefined
  return isSameTree(tree, place.reference)
    ? undefined
    : `status 0, but other bytes than before in ${differences(tree, place.reference).join(', ')}`
}
