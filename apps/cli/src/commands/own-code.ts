import type { MethodDefinition } from '@mk/methods'

/**
 * Code of the user's: modules with merge methods. It runs in this process and in its only thread that gets signals, so that it may
 * block both for ever, or end them.
 */
export interface OwnCode {
  /** Loads a module; from then on an end of the process that is not the program's is told as the module's. */
  load<T>(module: string, load: () => Promise<T>): Promise<T>
  /**
   * Makes a method one during which signals end the process at once.
   * @param leaveSignals leaves signals to the system until the event loop has had some rest
   */
  watched(method: MethodDefinition, leaveSignals: () => Promise<void>): MethodDefinition
  /** To be called when the command has come to its end. */
  release(): void
}

/** Creates the watch over the modules that one command loads. */
export function createOwnCode(): OwnCode {
  let last = ''
  let guard: { release(): void } | undefined
  return {
    async load(module, load) {
      const { guardProcess } = await import('./process-guard.ts')
      last = `the module ${module}`
      guard ??= guardProcess(() => last)
      return load()
    },
    watched(method, leaveSignals) {
      const enter = async () => {
        await leaveSignals()
        last = `the merge method '${method.name}'`
      }
      const reentering =
        <Args extends readonly unknown[], T>(ask: (...args: Args) => Promise<T>) =>
        (...args: Args) =>
          ask(...args).finally(enter)
      return {
        ...method,
        async merge(inputs, parameters, context) {
          await enter()
          return method.merge(inputs, parameters, {
            ...context,
            reduce: reentering(context.reduce) as typeof context.reduce,
            largest: reentering(context.largest),
            largestShare: reentering(context.largestShare),
            kthLargest: reentering(context.kthLargest),
          })
        },
      }
    },
    release: () => guard?.release(),
  }
}
