import type { SourceReader } from '@mk/source/node'
import type { GateMode } from '../config/moe-config.ts'
import type { ForwardModel } from '../forward/forward-model.ts'
import { embed, type ForwardTools, hiddenStates } from '../forward/hidden-states.ts'
import { gateRow, sumOfRows, unit } from './gate-rows.ts'

/** Prompts of an expert as token ids. */
export interface PromptTokens {
  readonly positive: readonly (readonly number[])[]
  readonly negative: readonly (readonly number[])[]
}

/** Computes rows from the embeddings of all tokens of the prompts, the same for each layer. */
export function embeddedRows(
  model: Pick<ForwardModel, 'tensors' | 'sizes'>,
  experts: readonly PromptTokens[],
  reader: SourceReader,
): readonly Float32Array[] {
  const { hidden } = model.sizes
  const directionOf = (texts: readonly (readonly number[])[]) => {
    const tokens = texts.flat()
    const rows = new Float32Array(tokens.length * hidden)
    embed(model, tokens, reader, rows)
    return unit(sumOfRows(rows, hidden, 0, tokens.length))
  }
  return experts.map(({ positive, negative }) =>
    gateRow(directionOf(positive), negative.length === 0 ? undefined : directionOf(negative)),
  )
}

/**
 * Computes rows from what enters each layer when the model reads the prompts: of the last token of each, or the mean of its tokens.
 * @yields layer by layer
 */
export async function* hiddenRows(
  model: ForwardModel,
  experts: readonly PromptTokens[],
  mode: Exclude<GateMode, 'random' | 'uniform_random' | 'cheap_embed'>,
  tools: ForwardTools,
): AsyncGenerator<readonly Float32Array[], void> {
  const { hidden } = model.sizes
  const texts = experts.flatMap(({ positive, negative }) => [...positive, ...negative])
  for await (const rows of hiddenStates(model, texts, tools)) {
    let first = 0
    const meanOf = (prompts: readonly (readonly number[])[]): Float64Array => {
      const mean = new Float64Array(hidden)
      for (const { length } of prompts) {
        const end = first + length
        const start = mode === 'hidden_avg' ? first : end - 1
        sumOfRows(rows, hidden, start, end).forEach((sum, index) => {
          mean[index]! += sum / (end - start) / prompts.length
        })
        first = end
      }
      return mean
    }
    yield experts.map(({ positive, negative }) => {
      const wanted = meanOf(positive)
      return gateRow(wanted, negative.length === 0 ? undefined : meanOf(negative))
    })
  }
}
