/** llama.cpp as the tests use it. */
export interface Llama {
  load(file: string): Promise<LoadedModel>
  close(): Promise<void>
}

export interface LoadedModel {
  /** Without the tokens that are put around a text. */
  tokenize(text: string): number[]
  /** For each of the tokens, what may follow it: token → log-probability. */
  logProbabilities(ids: readonly number[]): Promise<((id: number) => number)[]>
  /** The likeliest continuation. */
  complete(prompt: string, tokenCount: number): Promise<string>
  close(): Promise<void>
}

/** Opens llama.cpp on the processor; `missing` says why there is none, for the name of what is skipped. */
export async function openLlama(): Promise<{ readonly llama: Llama | undefined; readonly missing: string }> {
  try {
    const { getLlama, LlamaCompletion, LlamaLogLevel } = await import('node-llama-cpp')
    const llama = await getLlama({
      gpu: false,
      build: 'never',
      logLevel: LlamaLogLevel.error,
      progressLogs: false,
      maxThreads: 1,
    })
    return { llama: { load, close: () => llama.dispose() }, missing: '' }

    async function load(modelPath: string): Promise<LoadedModel> {
      const model = await llama.loadModel({ modelPath, useMmap: false })
      // With float32 in the cache of keys and values, only the weights are rounded.
      const exact = { experimentalKvCacheKeyType: 'F32', experimentalKvCacheValueType: 'F32' } as const
      const context = await model.createContext({ contextSize: 256, flashAttention: false, ...exact })
      const sequence = context.getSequence()
      return {
        tokenize: (text) => [...model.tokenize(text, false)],
        async logProbabilities(ids) {
          const asked = ids.map(
            (id) =>
              [id as (typeof sequence)['contextTokens'][number], { generateNext: { probabilities: true } }] as const,
          )
          const given = await sequence.controlledEvaluate(asked.map(([id, options]) => [id, options]))
          return given.map((token) => (id: number) => Math.log(token!.next.probabilities!.get(id as never)!))
        },
        async complete(prompt, tokenCount) {
          await sequence.clearHistory()
          const completion = new LlamaCompletion({ contextSequence: sequence })
          return completion.generateCompletion(prompt, { maxTokens: tokenCount, temperature: 0 })
        },
        close: () => model.dispose(),
      }
    }
  } catch (error) {
    return {
      llama: undefined,
      missing: ` (skipped: no llama.cpp for ${process.platform}-${process.arch}: ${(error as Error).message})`,
    }
  }
}
