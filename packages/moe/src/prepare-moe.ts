import { parseConfig, parseModelReference, stringifyYaml } from '@mk/config'
import { type PreparedMerge, prepareAssembly, type PrepareOptions } from '@mk/merge'
import { builtinMethods } from '@mk/methods'
import { assembleMoe, type MoeAssembly } from './assemble-moe.ts'
import { completeMoe, describeReader } from './complete-moe.ts'
import { isDrawn } from './config/moe-config.ts'
import { parseMoeConfig } from './config/parse-moe-config.ts'
import { expertMethod } from './expert-method.ts'
import { checkTokenizer } from './prompts/tokenize-prompts.ts'

/** A file of `mergekit-moe`, and what planning it depends on besides. */
export interface PrepareMoeOptions extends Omit<PrepareOptions, 'methods' | 'text'> {
  /** The YAML. */
  readonly text: string
  /** Whether all experts may be of one model. */
  readonly allowEqualExperts?: boolean
}

/** The name of the file in the output. */
const recipeName = 'mergekit_moe_config.yml'

/**
 * Plans a mixture of experts by a file of `mergekit-moe`: `text`. Router rows that prompts decide are computed by `download`, when the
 * weights are here; the plan before that has them without values.
 * @throws MoeError, ConfigError, CheckpointError, MergeError
 */
export async function prepareMoe(options: PrepareMoeOptions): Promise<PreparedMerge> {
  const { text, file = 'the recipe', lenient = false, allowEqualExperts = false } = options
  const parsed = parseMoeConfig(text, { file, lenient, allowEqualExperts })
  const { config: moe, locate } = parsed
  const all = [...moe.experts, ...moe.sharedExperts]
  // All of them are models of a merge, as far as opening them goes.
  const { config } = parseConfig(
    stringifyYaml({
      merge_method: 'linear',
      base_model: moe.baseModel,
      models: all.map(({ model }) => ({ model })),
      ...(moe.dtype !== undefined && { dtype: moe.dtype }),
    }),
  )
  const placeOf = ([key, index]: readonly (string | number)[]) => {
    if (key !== 'models' || typeof index !== 'number') return ['base_model']
    const { length } = moe.experts
    return index < length ? ['experts', index, 'source_model'] : ['shared_experts', index - length, 'source_model']
  }
  let assembled: MoeAssembly | undefined
  const prepared = await prepareAssembly(
    {
      config,
      locate: (path) => locate(placeOf(path)),
      method: expertMethod,
      recipe: { text, name: recipeName },
      assemble(inputs, withOutput) {
        const inputOf = (model: string) => inputs.indexOf(parseModelReference(model))
        assembled = assembleMoe(moe, inputs, withOutput, inputOf)
        if (!isDrawn(moe.gateMode)) checkTokenizer(inputs.checkpoints[inputs.donor]!, inputs.labels[inputs.donor]!)
        if (moe.gateMode.startsWith('hidden')) describeReader(assembled.base, moe.gateMode)
        return assembled
      },
      complete: (assembly, inputs, completion) => completeMoe(moe, assembled!, inputs, completion),
    },
    { ...options, methods: builtinMethods },
  )
  return { ...prepared, warnings: [...parsed.warnings, ...prepared.warnings] }
}
