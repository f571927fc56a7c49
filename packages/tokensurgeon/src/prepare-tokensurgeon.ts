import { parseConfig, type RecipeModel, stringifyYaml } from '@mk/config'
import { type PreparedMerge, prepareAssembly, type PrepareSettings } from '@mk/merge'
import { defineMethod } from '@mk/methods'
import { assembleTransplant, type TransplantAssembly, type TransplantFacts } from './assemble-transplant.ts'
import { checkSettings } from './check-settings.ts'
import { completeTransplant } from './complete-transplant.ts'
import { SurgeonError } from './errors.ts'
import type { Scratch } from './run/scratch.ts'
import { defaultSettings, type SurgeonSettings } from './settings.ts'

/** A model, the one whose vocabulary it gets, and how; settings that are absent are `defaultSettings`. */
export interface TransplantRequest extends Partial<SurgeonSettings> {
  readonly model: RecipeModel
  readonly donor: RecipeModel
}

/** Names the work in plan and card. */
const method = defineMethod({
  name: 'tokensurgeon',
  summary:
    'All of one model but its vocabulary, which is that of another; rows of tokens that it lacks are approximated.',
  reference: {
    title: 'Training-Free Tokenizer Transplantation via Orthogonal Matching Pursuit (Goddard & Fernandes Neto 2025)',
    url: 'https://arxiv.org/abs/2506.06607',
  },
  base: 'none',
  models: { min: 1, max: 1 },
  parameters: { perModel: {}, methodWide: {} },
  merge: ({ models: [x] }) => x!,
})

/**
 * Plans a model with the vocabulary of another. Rows that have to be approximated are computed by `download`, when the weights are here,
 * into files beside the output, which `release` deletes; the plan before that has them without values.
 * @throws SurgeonError, ConfigError, CheckpointError, TokenizerError, MergeError
 */
export async function prepareTokensurgeon(
  { model, donor, ...given }: TransplantRequest,
  options: PrepareSettings,
): Promise<PreparedMerge> {
  const settings = checkSettings(given)
  const changed = Object.entries(settings).filter(
    ([key, value]) => key === 'method' || value !== defaultSettings[key as keyof SurgeonSettings],
  )
  const text = stringifyYaml({ tokensurgeon: { model, donor, ...Object.fromEntries(changed) } })
  // Both are models of a merge, as far as opening them goes.
  const { config } = parseConfig(
    stringifyYaml({ merge_method: 'passthrough', base_model: model, models: [{ model: donor }] }),
  )
  const { seed = 0, copyTokenizer = true } = options
  let assembled: { readonly assembly: TransplantAssembly; readonly facts: TransplantFacts } | undefined
  let scratch: Scratch | undefined
  return prepareAssembly(
    {
      config,
      locate: ([key]) => (key === 'base_model' ? 'the model' : 'the donor'),
      method,
      recipe: { text },
      async assemble(inputs, withOutput) {
        const facts = { settings, config: withOutput, copyTokenizer }
        const inputOf = (reference: (typeof config)['baseModel']) => inputs.indexOf(reference!)
        const modelInput = inputOf(config.baseModel)
        if (inputs.checkpoints[modelInput]!.config === undefined)
          throw new SurgeonError({ code: 'surgeon-config', model: inputs.labels[modelInput]! })
        const donorInput = inputOf(config.modules[0]!.slices[0]!.sources[0]!.model)
        const assembly = await assembleTransplant(inputs, [modelInput, donorInput], facts)
        assembled = { assembly, facts }
        return assembly
      },
      async complete(_, __, completion) {
        const { assembly, facts } = assembled!
        const completed = await completeTransplant(assembly, { ...facts, seed }, completion)
        scratch = completed.scratch
        return completed
      },
      release: async () => void (await scratch?.discard()),
    },
    options,
  )
}
