import type { MergeConfig } from '@mk/config'
import type { MergeInputs } from './merge-inputs.ts'
import type { MergePlan } from './merge-plan.ts'

interface CardContext {
  readonly plan: Pick<MergePlan, 'method' | 'seed' | 'tensors'>
  readonly configText: string
  readonly notes: readonly string[]
}

/** A README.md in the hub's model card format: what was merged, how, and the recipe to do it again. */
export function modelCard(config: MergeConfig, inputs: MergeInputs, { plan, configText, notes }: CardContext): string {
  const hubModels = inputs.checkpoints.flatMap(({ hub }) => hub?.id ?? [])
  const isModel = inputs.checkpoints[inputs.donor]!.config !== undefined
  const fence = configText.includes('```') ? '~~~' : '```'
  const header = [
    '---',
    ...(hubModels.length > 0 ? ['base_model:', ...[...new Set(hubModels)].map((name) => `- ${name}`)] : []),
    ...(isModel ? ['library_name: transformers'] : []),
    'tags:',
    '- mergekit',
    '- merge',
    '---',
  ]
  const base = config.baseModel === undefined ? undefined : inputs.labels[inputs.donor]!
  const body = [
    '# Merged model',
    '',
    `Made with the merge method **${plan.method}**${base === undefined ? '' : ` on the base model ${code(base)}`} from`,
    '',
    ...inputs.labels.map((label) => `- ${code(label)}`),
    '',
    `Random seed: ${plan.seed} (used by methods that draw random masks).`,
    '',
    ...(notes.length > 0 ? ['## Notes', '', ...notes.map((note) => `- ${note}`), ''] : []),
    '## Recipe',
    '',
    `${fence}yaml`,
    configText.trimEnd(),
    fence,
    '',
  ]
  return [...header, '', ...body].join('\n')
}

const code = (text: string) => `\`${text}\``
