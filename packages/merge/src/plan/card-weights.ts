import { counted, shortened } from '@mk/errors'
import type { MergePlan } from './merge-plan.ts'
import { outputNames } from './output-names.ts'

/** Stands in a planned card where weights are told that are only known when norms have been counted. */
export const weightsMark = '<!-- weights by norm -->'

interface CardWeights {
  readonly rule: string
  readonly stage?: string
  readonly models: readonly { readonly model: string; readonly weight: number }[]
  readonly tensorCount: number
}

/** Tells in the card which weights followed from norms. */
export const fillWeights = (
  documents: MergePlan['documents'],
  weights: readonly CardWeights[],
): MergePlan['documents'] =>
  documents.map((document) =>
    document.name === outputNames.card
      ? { ...document, text: withLines(document.text, weights.map(line).join('\n')) }
      : document,
  )

/** Weights of a merge that the output is made of have no place of their own. */
const withLines = (text: string, lines: string): string =>
  text.includes(weightsMark) ? text.replace(weightsMark, () => lines) : `${text}\n## Weights\n\n${lines}\n`

function line({ rule, stage, models, tensorCount }: CardWeights): string {
  const code = (text: string) => `\`${shortened(text.replaceAll('`', "'"), 1000)}\``
  const each = models.map(({ model, weight }) => `${code(model)} ${weight}`).join(', ')
  const of = stage === undefined ? '' : ` of ${code(stage)}`
  return `- weights by ${code(rule)} over ${counted(tensorCount, 'tensor')}${of}: ${each}`
}
