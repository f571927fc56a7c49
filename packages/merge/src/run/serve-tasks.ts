import { packError } from '@mk/errors'
import { packResult } from './pack-results.ts'
import { type KeyedProgram, unpackPart, unpackPass } from './pack-tasks.ts'
import type { BatchPart, Task, TaskExecutor, TensorPass } from './task.ts'
import type { PoolPort, TaskDone, WorkerRequest, WorkerStart } from './worker-port.ts'

/** Carries out the tasks of a pool, one after the other: all that a worker does. */
export function serveTasks(port: PoolPort, open: (start: WorkerStart) => Promise<TaskExecutor>): void {
  let opening: Promise<TaskExecutor> | undefined
  const programs = new Map<number, KeyedProgram>()
  const tensors = new Map<number, Pick<TensorPass, 'sources' | 'merged'>>()
  const passes = new Map<number, TensorPass>()
  let previous: Promise<unknown> = Promise.resolve()
  let isClosing = false
  port.listen((request) => {
    if (request.kind === 'close') stop()
    previous = previous.then(async () => {
      const done: TaskDone[] = []
      for (const each of request.kind === 'several' ? request.requests : [request]) {
        if (isClosing && each.kind !== 'close') continue
        try {
          await handle(each, done)
        } catch (error) {
          tell(done.splice(0))
          port.post({ kind: 'failed', error: packError(error) })
        }
      }
      tell(done)
    })
  })

  const tell = (done: readonly TaskDone[]) => {
    if (done.length > 0) port.post(done.length === 1 ? done[0]! : { kind: 'several-done', done })
  }
  const programOf = (number: number) => programs.get(number)!

  /** What a task still has to do, or tasks that wait, would take longer than the pool waits for a worker; nobody asks for it. */
  function stop(): void {
    isClosing = true
    opening?.then(
      (executor) => executor.stop?.(),
      () => {},
    )
  }

  /** Where nothing could be opened there is nothing to close. */
  async function close(): Promise<void> {
    try {
      const executor = await opening?.catch(() => undefined)
      await executor?.close()
    } finally {
      port.post({ kind: 'closed' })
    }
  }

  async function handle(request: WorkerRequest, done: TaskDone[]): Promise<void> {
    if (request.kind === 'start') opening = open(request.start)
    if (request.kind === 'close') return close()
    const executor = await opening!
    const run = async (id: number, task: Task) =>
      void done.push({ kind: 'done', id, result: packResult(await executor.run(task)) })
    switch (request.kind) {
      case 'start':
        return
      case 'program': {
        const { number, program, programKey } = request
        return void programs.set(number, { program, programKey })
      }
      case 'tensor': {
        const { tensor, sources, merged } = request
        return void tensors.set(tensor, { sources, ...(merged && { merged }) })
      }
      case 'pass': {
        const pass = unpackPass(request.pass, programOf)
        return void passes.set(request.id, { ...pass, ...tensors.get(pass.tensor)! })
      }
      case 'run':
        return run(request.id, { pass: passes.get(request.pass)!, ...unpackPart(request.part) })
      case 'once':
        return run(request.id, { pass: unpackPass<TensorPass>(request.pass, programOf), ...unpackPart(request.part) })
      case 'batch':
        return run(request.id, {
          tensor: request.tensor,
          parts: request.parts.map((part) => unpackPass<BatchPart>(part, programOf)),
        })
      case 'matrix':
      case 'whole':
        return run(request.id, request.task)
      case 'forget':
        tensors.delete(request.tensor)
        for (const [id, { tensor }] of passes) if (tensor === request.tensor) passes.delete(id)
        return executor.forget(request.tensor)
      case 'several':
        for (const each of request.requests) await handle(each, done)
        return
      default:
        return request satisfies never
    }
  }
}
