import type { EngineAnswer, EngineRequest, MergeFacts, ModelFacts, PlanFacts, Progress } from './messages.ts'

/** The engine said why it can't do what was asked; `code` is that of the error's row in docs/errors.md. */
export class EngineError extends Error {
  readonly code: string | undefined

  constructor(message: string, code: string | undefined) {
    super(message)
    this.code = code
  }
}

type RequestOf<Kind extends EngineRequest['kind']> = Omit<Extract<EngineRequest, { kind: Kind }>, 'kind'>

export interface Engine {
  add(files: RequestOf<'add'>['files']): Promise<void>
  remove(model: string): Promise<void>
  inspect(request: RequestOf<'inspect'>): Promise<ModelFacts>
  check(request: RequestOf<'check'>): Promise<PlanFacts>
  merge(request: RequestOf<'merge'>, onProgress: (progress: Progress) => void): Promise<MergeFacts>
  cancel(): void
}

/** Starts the engine, a worker of its own. */
export function startEngine(): Engine {
  const worker = new Worker(new URL('./engine.ts', import.meta.url), { type: 'module' })
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>()
  let nextId = 0
  let onProgress: (progress: Progress) => void = () => {}
  worker.addEventListener('message', ({ data }: { readonly data: EngineAnswer }) => {
    if (data.kind === 'progress') return onProgress(data.progress)
    const { resolve, reject } = waiting.get(data.id)!
    waiting.delete(data.id)
    if (data.kind === 'done') resolve(data.value)
    else reject(new EngineError(data.message, data.code))
  })
  worker.addEventListener('error', ({ message }) => {
    for (const { reject } of waiting.values())
      reject(new EngineError(message || 'the engine could not start', undefined))
    waiting.clear()
  })
  const ask = <T>(request: EngineRequest): Promise<T> =>
    new Promise((resolve, reject) => {
      const id = nextId++
      waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
      worker.postMessage({ id, request })
    })
  return {
    add: (files) => ask({ kind: 'add', files }),
    remove: (model) => ask({ kind: 'remove', model }),
    inspect: (request) => ask({ kind: 'inspect', ...request }),
    check: (request) => ask({ kind: 'check', ...request }),
    merge(request, listener) {
      onProgress = listener
      return ask({ kind: 'merge', ...request })
    },
    cancel: () => worker.postMessage('cancel'),
  }
}
