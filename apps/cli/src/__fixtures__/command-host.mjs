// Runs a command as often as it is asked to in one process: what a process needs to start takes longer than most merges of tests.
// usage: node command-host.mjs MODULE EXPORT, with IPC; MODULE is the built package of the command.
const [module, name] = process.argv.slice(2)
const { [name]: command } = await import(module)
const inherited = { ...process.env }

// Commands listen to these each time they run.
for (const stream of [process.stdout, process.stderr]) stream.setMaxListeners(Infinity)
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
  process.send({ status: await command(args) })
})
process.on('disconnect', () => process.exit())
