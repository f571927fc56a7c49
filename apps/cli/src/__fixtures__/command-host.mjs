// Runs a command as often as it is asked to in one process: what a process needs to start takes longer than most merges of tests.
// usage: node command-host.mjs BIN, with IPC; BIN is the URL of the command's, whose package is built.
import { AsyncLocalStorage } from 'node:async_hooks'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { isCurrent } from '../../bin/start.cjs'

const [bin] = process.argv.slice(2)
const [, name] = /([^/]+)\.cjs$/.exec(bin)
const bundle = fileURLToPath(new URL('../dist/bundle', bin))
const { exit } = process
const run = isCurrent(bundle) ? runBundled(createRequire(bin)('../dist/bundle/load-bundle.cjs')) : await runBuilt()
const inherited = { ...process.env }

// Commands listen to these each time they run.
for (const emitter of [process, process.stdout, process.stderr]) emitter.setMaxListeners(Infinity)
for (const stream of ['stdout', 'stderr'])
  process[stream].write = (text, ...rest) => {
    process.send({ stream, text: String(text) })
    rest.find((argument) => typeof argument === 'function')?.()
    return true
  }

process.on('message', async ({ args, cwd, env }) => {
  for (const key of Object.keys(process.env)) if (!(key in inherited)) delete process.env[key]
  Object.assign(process.env, inherited, env)
  process.chdir(cwd)
  process.send({ status: await run(args) })
})
process.on('disconnect', () => exit.call(process))

/** As bin/start.cjs does, each time with modules of its own. Threads of a bundle start in a third of the time. */
function runBundled({ loadChunk }) {
  const calls = new AsyncLocalStorage()
  let running
  // Some time after its end a command ends what is left of its process, which runs others by then.
  process.exit = (...code) => {
    const call = calls.getStore()
    if (call === undefined || call === running) exit.apply(process, code)
  }
  return async (args) => {
    process.argv = [process.execPath, fileURLToPath(bin), ...args]
    process.exitCode = undefined
    running = {}
    await calls.run(running, () => loadChunk(`${name}.cjs`).ended)
    running = undefined
    return process.exitCode
  }
}

/** bin/mergekit-yaml.cjs runs mergekitYaml of its package. */
async function runBuilt() {
  const exported = await import(new URL('../dist/index.js', bin).href)
  return exported[name.replaceAll(/-(\w)/g, (_, letter) => letter.toUpperCase())]
}
