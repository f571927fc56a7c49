import { shortened } from '@mk/errors'
import type { MergePlan } from './merge-plan.ts'
import type { PlanContext } from './plan-context.ts'

/** Writes a README.md in the hub's model card format: what was merged, how, and the recipe to do it again. */
export function modelCard(
  { config, inputs, options, notes }: PlanContext,
  plan: Pick<MergePlan, 'method' | 'seed'>,
): string {
  const { text } = options
  const noteTexts = notes.texts()
  const hubModels = inputs.checkpoints.flatMap(({ hub }) => hub?.id ?? [])
  const isModel = inputs.checkpoints[inputs.donor]!.config !== undefined
  const fence = text.includes('```') ? '~~~' : '```'
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
    ...(noteTexts.length > 0 ? ['## Notes', '', ...noteTexts.map((note) => `- ${asText(note)}`), ''] : []),
    '## Recipe',
    '',
    `${fence}yaml`,
    text.trimEnd(),
    fence,
    '',
  ]
  return [...header, '', ...body].join('\n')
}

/** Names in notes are the input's: without what a page would act on, be it a control character, markup or a link. */
const asText = (note: string): string => shortened(note, 2000).replace(/[`<]|\](?=\()/g, (mark) => `\\${mark}`)

const code = (text: string) => `\`${shortened(text.replaceAll('`', "'"), 1000)}\``
