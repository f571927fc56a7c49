import { existsSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { createRandom } from '../../../robustness/src/random.mjs'
import { startWorker, submitMerge, readStatus } from '@mk/queue'
import { expect, until } from '../checks.mjs'
import { startRedis } from './redis-server.mjs'
import { keepWorkers } from './workers.mjs'

const partCount = 12
/** So that a kill does not take half a minute. */
const quickly = ['--stalled-after', '2']

/**
 * Merges in parts by BullMQ on a real Redis.
 * @param {{ place: Awaited<ReturnType<typeof import('../workplace.mjs').openWorkplace>>, check: ReturnType<typeof import('../checks.mjs').createChecks>['check'], seed: string }} context
 */
export async function redisCases({ place, check, seed }) {
  const redis = await startRedis(join(place.folder, 'redis'))
  const env = { REDIS_URL: redis.url }
  const submit = (out, queue, ...options) => [
    'mk-queue',
    'submit',
    place.plan,
    out,
    '--parts',
    String(partCount),
    '--queue',
    queue,
    ...options,
  ]
  const statusOf = async (queue, ...operands) =>
    JSON.parse(await place.must(['mk-queue', 'status', ...operands, '--queue', queue, '--json'], { env }))
  const kept = []
  const keep = (queue, ...options) => {
    const start = (command, how) => place.start(command, { ...how, env })
    kept.push(keepWorkers({ ...place, start }, ['--queue', queue, ...options]))
    return kept.at(-1)
  }
  try {
    await check('workers are killed at random and Redis is restarted: the same bytes', async () => {
      const out = place.outIn('killed')
      const random = createRandom(seed)
      const workers = keep('killed', ...quickly)
      const waiting = place.start(submit(out, 'killed', '--wait', '--json', '--backoff', '1'), {
        env,
        timeoutMs: 120_000,
      })
      // What begins while there is no Redis ends with an error.
      await until(async () => (await statusOf('killed')).merges[0]?.parts.length > 0, { what: 'it is not submitted' })
      // A quick machine would be through before the first kill.
      for (let count = 0; count < 3; count++) workers.startOne()
      let [kills, restarts] = [0, 0]
      while (waiting.isRunning()) {
        await new Promise((resolve) => setTimeout(resolve, 200 + random.below(600)))
        if (kills >= 12 || !waiting.isRunning()) continue
        random.pick(workers.list())?.kill('SIGKILL')
        kills++
        if (kills % 4 === 0) {
          await redis.restart(random.below(1000))
          restarts++
        }
      }
      const { status, stdout, stderr } = await waiting.ended
      await workers.end()
      expect(status === 0, `submit --wait ended with ${status}: ${stderr}`)
      place.checkOutput(out)
      const [{ parts }] = JSON.parse(stdout).merges
      expect(
        parts.every(({ state }) => state === 'done'),
        'a part is not done',
      )
      expect(kills >= 4 && restarts >= 1, `only ${kills} kills and ${restarts} restarts: the merge is too short`)
      const takeovers = parts.reduce((sum, part) => sum + part.takeovers, 0)
      return `seed ${seed}: ${kills} kills, ${restarts} restarts, ${takeovers} parts taken over`
    })

    await check('all workers and parts are in one view', async () => {
      const out = place.outIn('viewed')
      const workers = keep('viewed', ...quickly)
      for (let count = 0; count < 2; count++) workers.startOne()
      await place.must(submit(out, 'viewed', '--quiet'), { env })
      const seen = await until(
        async () => {
          const status = await statusOf('viewed')
          const running = status.merges[0].parts.filter(
            ({ state, worker }) => state === 'running' && worker !== undefined,
          )
          return new Set(running.map(({ worker }) => worker)).size === 2 && status
        },
        { what: 'two workers are not seen at work' },
      )
      expect(seen.workers.length === 2, `${seen.workers.length} workers are listed`)
      const text = await place.must(['mk-queue', 'status', '--queue', 'viewed'], { env })
      for (const worker of seen.workers) expect(text.includes(worker), `${worker} is not in:\n${text}`)
      await until(async () => (await statusOf('viewed')).merges[0].state === 'done', { what: 'it is not done' })
      await workers.end()
      place.checkOutput(out)
    })

    await check('a canceled merge is left within seconds, and goes on when it is submitted again', async () => {
      const out = place.outIn('canceled')
      const workers = keep('canceled')
      workers.startOne()
      const id = (await place.must(submit(out, 'canceled', '--quiet'), { env })).trim()
      await until(async () => (await statusOf('canceled', id)).merges[0].parts.some(({ state }) => state === 'done'), {
        what: 'no part is done',
      })
      await place.must(['mk-queue', 'cancel', id, '--queue', 'canceled'], { env })
      const [left] = await until(
        async () => {
          const { merges } = await statusOf('canceled', id)
          return merges[0].parts.every(({ state }) => state === 'done' || state === 'failed') && merges
        },
        { what: 'it goes on', timeoutMs: 30_000 },
      )
      expect(left.state === 'canceled', `it is ${left.state}`)
      expect(!existsSync(out), 'there is an output')
      const { status } = await place.run(['mk-queue', 'status', id, '--wait', '--queue', 'canceled'], { env })
      expect(status === 2, `status --wait ends with ${status}`)
      await place.must(submit(out, 'canceled', '--wait', '--quiet'), { env })
      await workers.end()
      place.checkOutput(out)
    })

    await check('a worker that is told to end gives its part back at once', async () => {
      const out = place.outIn('returned')
      // Nobody would notice that it is gone before the test is over.
      const workers = keep('returned', '--stalled-after', '1000')
      workers.startOne()
      const id = (await place.must(submit(out, 'returned', '--quiet'), { env })).trim()
      for (let count = 0; count < 3; count++) {
        await until(
          async () => (await statusOf('returned', id)).merges[0].parts.some(({ state }) => state === 'running'),
          {
            what: 'no part is running',
          },
        )
        const [worker] = workers.list()
        worker.kill('SIGTERM')
        const { signal } = await worker.ended
        expect(signal === 'SIGTERM', `it ended by ${signal}`)
      }
      await until(async () => (await statusOf('returned', id)).merges[0].state === 'done', { what: 'it is not done' })
      await workers.end()
      place.checkOutput(out)
      const { merges } = await statusOf('returned', id)
      expect(
        merges[0].parts.every(({ failures }) => failures === 0),
        'that counted as a failure',
      )
    })

    await check('what has to be mended is not tried again, and ends with 2', async () => {
      const out = place.outIn('refused')
      const model = join(place.folder, 'models', 'b')
      renameSync(model, `${model}-gone`)
      const workers = keep('refused')
      workers.startOne()
      try {
        const ended = await place.run(submit(out, 'refused', '--wait', '--json'), { env })
        expect(ended.status === 2, `submit --wait ends with ${ended.status}: ${ended.stderr}`)
        const [merge] = JSON.parse(ended.stdout).merges
        expect(merge.problem.includes(model), `the problem is told as: ${merge.problem}`)
        expect(
          merge.parts.every(({ failures }) => failures <= 1),
          'a part was tried twice',
        )
        expect(!existsSync(out), 'there is an output')
      } finally {
        renameSync(`${model}-gone`, model)
        await workers.end()
      }
    })

    await check(
      'what fails is tried again, later each time and not without end; the other parts are done',
      async () => {
        const times = []
        const work = {
          async runPart({ part }) {
            if (part !== 2) return
            times.push(performance.now())
            throw new Error('the disk is full')
          },
          async finish() {
            throw new Error('it must not get here')
          },
        }
        const queue = { redis: redis.url, queue: 'failing' }
        const worker = await startWorker({ ...queue, work })
        const order = { plan: place.plan, out: place.outIn('failing'), parts: 3 }
        const { id } = await submitMerge({ ...order, retry: { attempts: 3, backoffMs: 300 } }, queue)
        const merge = await until(
          async () => {
            const { merges } = await readStatus(queue, id)
            return merges[0].end.state === 'failed' && merges[0]
          },
          { what: 'it has not failed' },
        )
        await worker.close()
        const [first, second] = [times[1] - times[0], times[2] - times[1]]
        expect(times.length === 3, `${times.length} attempts`)
        expect(first >= 300 && second >= 600, `after ${first} and ${second} ms`)
        expect(merge.problem === 'part 2: the disk is full', merge.problem)
        expect(merge.parts.filter(({ state }) => state === 'done').length === 2, 'the others are not done')
        expect(!merge.isRefused, 'it counts as refused')
      },
    )

    await check('a part that ends its workers fails in the end', async () => {
      const out = place.outIn('ending')
      await place.must([...submit(out, 'ending', '--quiet'), '--parts', '1'], { env })
      const partOf = async () => (await statusOf('ending')).merges[0].parts[0]
      // Each worker is killed as soon as it has the part.
      for (let starts = 0; starts < 4; starts++) {
        const { takeovers: before } = await partOf()
        const worker = place.start(
          ['mk-queue', 'work', '--queue', 'ending', '--stalled-after', '1', '--takeovers', '1', '--threads', '1'],
          { env },
        )
        const part = await until(
          async () => {
            const now = await partOf()
            const isTaken = now.state === 'running' && (starts === 0 || now.takeovers > before)
            return (isTaken || now.state === 'failed' || now.state === 'done') && now
          },
          { what: 'the part is not taken' },
        )
        worker.kill('SIGKILL')
        await worker.ended
        if (part.state !== 'running') {
          expect(part.state === 'failed' && part.problem.includes('stalled'), `${part.state}: ${part.problem}`)
          return `after ${starts} workers`
        }
      }
      throw new Error('it is still tried')
    })
  } finally {
    for (const workers of kept) await workers.end()
    await redis.close()
  }
}
