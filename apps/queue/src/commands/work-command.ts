import { setTimeout as sleep } from 'node:timers/promises'
import {
  type CommandDefinition,
  exitStatus,
  mapPathOption,
  positiveInteger,
  streamInputsOption,
  sharedOptions,
} from '@mk/cli'
import type { MappedPath } from '@mk/merge/parts'
import type { MergeWorker } from '../worker/start-worker.ts'
import { placeOf, placeOptions, type QueueFlags, queueHeading, queueOption } from './queue-options.ts'
import { createTeller } from './tell-events.ts'

interface WorkFlags extends QueueFlags {
  readonly threads: number
  readonly mapPath?: readonly MappedPath[]
  readonly streamInputs?: boolean
  readonly untilDone?: boolean
  readonly device?: string
  readonly methodModule?: readonly string[]
  readonly allowCode?: boolean
  readonly name?: string
  readonly stalledAfter: number
  readonly takeovers: number
}

/** `mk-queue work`, which takes parts until it is told to end. */
export const workCommand: CommandDefinition<WorkFlags> = {
  name: 'mk-queue work',
  summary:
    'Take parts from the queue and do them, one at a time, until told to end (Ctrl-C, SIGTERM): then the part goes back.',
  operands: [],
  declareOptions(command) {
    for (const option of [
      queueOption('--until-done', 'end when all merges of the queue have ended'),
      queueOption('--name <name>', 'how this worker is called in the status'),
      queueOption('--stalled-after <seconds>', 'without a word from a worker: others take its part over')
        .argParser(positiveInteger)
        .default(30),
      queueOption('--takeovers <count>', 'of a part; after that it counts as one that ends its workers')
        .argParser(positiveInteger)
        .default(10),
      ...placeOptions(),
      mapPathOption('where this machine has what plan and submission name by another path').helpGroup(queueHeading),
      streamInputsOption().helpGroup(queueHeading),
      queueOption('--method-module <file>', 'load merge methods that plans name (may be repeated)').argParser(
        (file: string, files: readonly string[] = []) => [...files, file],
      ),
      queueOption('--allow-code', 'run the modules that plans name as their methods'),
      sharedOptions.device(),
      sharedOptions.threads(),
      sharedOptions.json('print what happens as lines of JSON'),
      sharedOptions.quiet(),
      sharedOptions.verbose('also tell each try to reach the Redis again'),
    ])
      command.addOption(option)
  },
  examples: [
    ['mk-queue work --redis redis://queue:6379', 'on each machine'],
    ['mk-queue work --map-path /shared=/mnt/shared', 'where the file system is mounted elsewhere'],
  ],
  async act({ flags }) {
    const [{ startWorker }, { createPartWork }, { loadPlanCode }] = await Promise.all([
      import('../worker/start-worker.ts'),
      import('../worker/run-parts.ts'),
      import('@mk/cli'),
    ])
    const { threads, mapPath: mapPaths = [], name, stalledAfter, takeovers, untilDone = false } = flags
    const { device, methodModule, allowCode, streamInputs = false } = flags
    const work = createPartWork({
      threads,
      mapPaths,
      streamInputs,
      loadCode: (file) => loadPlanCode(file, { device, methodModule, allowCode, mapPaths }),
    })
    const ending = new AbortController()
    const ended = waitForSignal(ending.signal)
    const worker = await startWorker({
      ...placeOf(flags),
      work,
      stalledMs: stalledAfter * 1000,
      takeovers,
      ...(name !== undefined && { name }),
      onEvent: createTeller(flags),
    })
    if (!flags.quiet && flags.json !== true) process.stderr.write(`${worker.name} takes parts from ${flags.queue}\n`)
    const status = await (untilDone ? Promise.race([ended, untilAllDone(worker)]) : ended)
    ending.abort()
    await worker.close()
    return status
  },
}

const signals = ['SIGINT', 'SIGTERM'] as const

/** Waits until the process is told to end; a second signal ends it at once. @returns the exit status that tells of the signal */
async function waitForSignal(isOver: AbortSignal): Promise<number> {
  return new Promise((resolve) => {
    const off = () => signals.forEach((name) => process.off(name, onSignal))
    const onSignal = (name: (typeof signals)[number]) => {
      off()
      resolve(exitStatus[name])
    }
    signals.forEach((name) => process.on(name, onSignal))
    isOver.addEventListener('abort', off)
  })
}

const lookMs = 500

/** Waits until nothing is left in the queue, at other workers neither. */
async function untilAllDone(worker: MergeWorker): Promise<number> {
  while ((await worker.countOpen()) > 0) await sleep(lookMs)
  return exitStatus.success
}
