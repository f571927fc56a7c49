import type { CompletedAssembly, CompletionOptions, UnplacedTensor } from '@mk/merge'
import { openRuntime, wasmRuntime } from '@mk/merge/run'
import { createSourceReader } from '@mk/source/node'
import type { MergeInputs } from '@mk/merge'
import type { MoeAssembly } from './assemble-moe.ts'
import type { MoeConfig } from './config/moe-config.ts'
import { MoeError } from './errors.ts'
import { describeForward, type ForwardModel } from './forward/forward-model.ts'
import { embeddedRows, hiddenRows } from './gates/prompted-rows.ts'
import { tokenizePrompts } from './prompts/tokenize-prompts.ts'
import type { BaseModel } from './read-base.ts'

/** Describes the base for reading prompts. @throws MoeError 'moe-gate' where it can't be computed */
export function describeReader({ config, sizes, checkpoint, label }: BaseModel, mode: string): ForwardModel {
  const model = describeForward(config, sizes, checkpoint.tensors)
  if (typeof model === 'string') throw new MoeError({ code: 'moe-gate', model: label, mode, problem: model })
  return model
}

/**
 * Computes the rows of the routers from the prompts, and puts them into the tensors that await them.
 * @throws MoeError 'moe-tokenizer', 'moe-token', 'moe-gate'; SourceError for weights that can't be read
 */
export async function completeMoe(
  moe: MoeConfig,
  { tensors, gates, base }: MoeAssembly,
  { checkpoints, labels, donor }: MergeInputs,
  { runtime, signal, onProgress }: CompletionOptions,
): Promise<CompletedAssembly> {
  if (gates.size === 0) return { tensors }
  const { sizes, checkpoint } = base
  const rows = checkpoint.tensors.get('model.embed_tokens.weight')!.shape[0]!
  const prompted = [...moe.experts, ...moe.sharedExperts.filter(({ positivePrompts }) => positivePrompts.length > 0)]
  const prompts = await tokenizePrompts(prompted, checkpoints[donor]!, { model: labels[donor]!, rows })
  const reader = createSourceReader()
  const opened = await openRuntime(runtime ?? wasmRuntime)
  try {
    const byLayer: (readonly Float32Array[])[] = []
    if (moe.gateMode === 'cheap_embed') {
      const same = embeddedRows({ tensors: checkpoint.tensors, sizes }, prompts, reader)
      for (let layer = 0; layer < sizes.layers; layer++) byLayer.push(same)
    } else {
      const model = describeReader(base, moe.gateMode)
      const { longest = Infinity } = model.rotary
      const tooLong = prompts
        .flatMap(({ positive, negative }) => [...positive, ...negative])
        .find(({ length }) => length > longest)
      if (tooLong !== undefined)
        throw new MoeError({
          code: 'moe-gate',
          model: base.label,
          mode: moe.gateMode,
          problem: `a prompt has ${tooLong.length} tokens, and dynamic rotary embeddings are computed up to ${longest}`,
        })
      const tools = { runtime: opened, reader, signal }
      const report = (done: number) =>
        onProgress?.({ label: `reading the prompts: layer ${Math.min(done + 1, sizes.layers)} of ${sizes.layers}` })
      report(0)
      for await (const rows of hiddenRows(model, prompts, hiddenMode(moe), tools)) {
        byLayer.push(rows)
        report(byLayer.length)
      }
    }
    const completed = tensors.map((tensor) => {
      const gate = gates.get(tensor.name)
      if (gate === undefined) return tensor
      const all = byLayer[gate.layer]!
      const chosen = gate.of === 'experts' ? all.slice(0, moe.experts.length) : all.slice(moe.experts.length)
      return withValues(tensor, chosen)
    })
    return { tensors: completed }
  } finally {
    reader.close()
    await opened.close()
  }
}

const hiddenMode = ({ gateMode }: MoeConfig): 'hidden' | 'hidden_last' | 'hidden_avg' =>
  gateMode === 'hidden_avg' ? 'hidden_avg' : 'hidden_last'

function withValues(tensor: UnplacedTensor, rows: readonly Float32Array[]): UnplacedTensor {
  const { operation, shape } = tensor
  if (operation.kind !== 'copy') throw new TypeError(`${tensor.name} awaits no rows`)
  const bytes = Buffer.concat(
    rows.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)),
  )
  const source = { kind: 'values', dtype: 'F32', shape, base64: bytes.toString('base64') } as const
  return { ...tensor, operation: { kind: 'copy', input: { ...operation.input, source } } }
}
