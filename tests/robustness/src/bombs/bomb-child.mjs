// One bomb, in a process of its own: laid, or set off and measured. What came of it is a line of JSON.
import { faultOfError } from '../own-error.mjs'
import { bombs } from './all-bombs.mjs'
import { armBomb, layBomb } from './run-bomb.mjs'

const [stage, name, folder] = process.argv.slice(2)
const bomb = bombs.get(name)
if (stage === 'lay') layBomb(bomb, folder)
else await setOff()

async function setOff() {
  const run = await armBomb(bomb, folder)
  const baseBytes = process.memoryUsage().rss
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  const result = await outcome(run)
  const { user, system } = process.cpuUsage(cpu)
  const ms = Math.min(performance.now() - startedAt, (user + system) / 1000)
  const megabytes = process.resourceUsage().maxRSS / 1024 - baseBytes / 2 ** 20
  console.log(JSON.stringify({ ...result, ms, megabytes }))
}

async function outcome(run) {
  try {
    await run()
    return { said: 'accepted' }
  } catch (error) {
    const message = String(error?.message).slice(0, 120)
    return { said: `${error?.name} ${error?.code ?? ''}: ${JSON.stringify(message)}`, fault: faultOfError(error) }
  }
}
