import { createHook } from 'node:async_hooks'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { prepareIn } from '../__fixtures__/merge.ts'
import { useFolder, writeLlamas } from '../__fixtures__/models.ts'

const folder = useFolder()

/** Counts what is left to the threads of Node's pool meanwhile. */
async function countRequests(run: () => Promise<unknown>): Promise<number> {
  let requests = 0
  const hook = createHook({ init: (_, type) => void (/^(FS|FILEHANDLECLOSE)REQ/.test(type) && requests++) }).enable()
  try {
    await run()
  } finally {
    hook.disable()
  }
  return requests
}

test('planning leaves opening, reading and closing to other threads, and asks for all else at once', async () => {
  const names = ['a', 'b', 'c', 'd']
  await writeLlamas(folder.path, Object.fromEntries(names.map((name) => [name, {}])))
  const prepare = (count: number) => {
    const models = names.slice(0, count).map((name) => `{model: ${join(folder.path, name)}}`)
    return prepareIn(folder.path, `merge_method: linear\nparameters: {weight: 1}\nmodels: [${models}]`)
  }
  await prepare(2)
  const [ofTwo, ofFour] = [await countRequests(() => prepare(2)), await countRequests(() => prepare(4))]
  // config.json and the header of the weights of each: once opened, read in two pieces at most, closed.
  const ofEach = (ofFour - ofTwo) / 2
  expect(ofEach).toBeGreaterThanOrEqual(6)
  expect(ofEach).toBeLessThanOrEqual(8)
  expect(ofTwo).toBe(2 * ofEach)
})
