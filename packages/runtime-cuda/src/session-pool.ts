import type { OnnxSession } from './onnx-runtime.ts'

/** Sessions of models, of which those used last are kept: on a GPU each holds the memory that its longest call took. */
export interface SessionPool {
  /** Opens the session of a model, or finds it open. It is there until others are asked for. */
  open(model: Uint8Array): Promise<OnnxSession>
  close(): Promise<void>
}

/** Makes an empty pool. @param most how many sessions are open at once */
export function createSessionPool(create: (model: Uint8Array) => Promise<OnnxSession>, most: number): SessionPool {
  /** The one used last comes last. */
  const sessions = new Map<Uint8Array, OnnxSession>()
  return {
    async open(model) {
      let session = sessions.get(model)
      sessions.delete(model)
      if (session === undefined) {
        const [oldest] = sessions
        if (oldest !== undefined && sessions.size >= most) {
          sessions.delete(oldest[0])
          await oldest[1].release()
        }
        session = await create(model)
      }
      sessions.set(model, session)
      return session
    },
    async close() {
      await Promise.all([...sessions.values()].map((session) => session.release()))
      sessions.clear()
    },
  }
}
