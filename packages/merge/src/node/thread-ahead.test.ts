import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

/** In a process that has the built package, as a thread can't start from source. */
const inProcess = async (text: string, ...flags: readonly string[]) => {
  const whole = `import('@mk/merge').then(async ({ startThreadAhead }) => {\n${text}\n})`
  const call = [...flags, '--eval', whole]
  return (await promisify(execFile)(process.execPath, call, { cwd: import.meta.dirname })).stdout
}

// The engine's flags hold for all threads, and none may be given them.
test.each([[['--stack-trace-limit=20']], [['--stack-trace-limit=20', '--input-type=module']]])(
  'a thread ahead is handed out once, and later ones are new, in a process with the flags %s',
  async (flags) => {
    const text = `
const ahead = startThreadAhead()
const threads = [ahead.createWorker(), ahead.createWorker()]
await ahead.close()
console.log(...threads.map(({ threadId }) => threadId))
await Promise.all(threads.map((thread) => new Promise((resolve) => thread.once('online', resolve))))
await Promise.all(threads.map((thread) => thread.terminate()))`
    expect(await inProcess(text, ...flags)).toBe('1 2\n')
  },
)

test('a thread that nobody takes is ended when it is closed, and keeps no process before', async () => {
  const text = `
const closed = startThreadAhead()
await closed.close()
const another = closed.createWorker()
console.log(another.threadId)
await another.terminate()
startThreadAhead()`
  expect(await inProcess(text)).toBe('2\n')
})
