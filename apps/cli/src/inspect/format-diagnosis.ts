import { counted, printable } from '@mk/errors'
import type { DiagnosedModel, DiagnosedPair, Diagnosis, ReadPart } from '@mk/inspect'
import { formatTable } from '../print/format-table.ts'
import type { PlainScreen } from '../print/style.ts'
import { wrapText } from '../print/wrap-text.ts'
import { cosine, number, share } from './format-numbers.ts'

/** Formats what was found of a recipe's models: what stands out, a line for each model and pair, and weights; with `full` each tensor. */
export function formatDiagnosis(
  { base, read, models, pairs, findings, weights, weightStandardErrors, tensors, skipped }: Diagnosis,
  { screen, full }: { readonly screen: PlainScreen; readonly full: boolean },
): string {
  const { width, style } = screen
  const table = (...of: Parameters<typeof formatTable>) =>
    formatTable(
      of[0],
      of[1].map((row) => row.map(printable)),
      of[2],
    )
  const wrapped = (text: string) => wrapText(printable(text), width, '  ')
  const isEstimate = read.sampledTensors > 0
  return [
    ...(isEstimate ? [wrapped(describeSample(read)), ''] : []),
    ...(findings.length === 0
      ? [style.bold(wrapped(`nothing stands out${isEstimate ? ' in what was read' : ''}`))]
      : findings.map(({ text }) => style.bold(wrapped(`- ${text}`)))),
    '',
    ...table(
      [...modelColumns(base !== null), { title: 'model' }],
      models.map((model) => [...modelCells(model), model.model]),
      width,
    ),
    ...(base === null ? [] : [wrapped(`the base is ${base}`)]),
    '',
    ...table(
      [...pairColumns(base !== null), { title: 'models' }],
      pairs.map((pair) => [...pairCells(pair), pair.models.join(' and ')]),
      width,
    ),
    ...(weights === null
      ? []
      : [
          '',
          wrapped('weights by norm, with which all change the base alike:'),
          ...Object.entries(weights).map(([model, weight]) =>
            wrapped(`  ${number(weight, weightStandardErrors?.[model])}  ${model}`),
          ),
        ]),
    ...(full
      ? [
          '',
          ...table(
            [...pairColumns(base !== null), { title: 'tensor' }],
            tensors.flatMap(({ name, pairs: own }) =>
              own.map((pair) => [
                ...pairCells(pair),
                own.length === 1 ? name : `${name}: ${pair.models.join(' and ')}`,
              ]),
            ),
            width,
          ),
        ]
      : []),
    ...(skipped === 0
      ? []
      : [
          '',
          wrapped(
            `${counted(skipped, 'tensor')} of the output ${skipped === 1 ? 'is' : 'are'} made of one model or of several vocabularies, and not looked at`,
          ),
        ]),
    '',
  ].join('\n')
}

const describeSample = ({ elementCount, readElements, tensorCount, sampledTensors }: ReadPart): string =>
  `estimated from ${share(readElements / elementCount)} of the elements (${sampledTensors} of ${counted(tensorCount, 'tensor')} read in part; ± is a standard error): NaN, or a change of a few rows, in the rest is not seen; --full reads all`

const modelColumns = (hasBase: boolean) => [
  { title: 'norm', align: 'right' } as const,
  ...(hasBase
    ? ([
        { title: 'change', align: 'right' },
        { title: 'of the base', align: 'right' },
        { title: 'cosine', align: 'right' },
      ] as const)
    : []),
]

const modelCells = ({ norm, change, relative, cosine: toBase, standardErrors: errors }: DiagnosedModel): string[] => [
  number(norm, errors?.norm),
  ...(change === null
    ? []
    : [number(change, errors?.change), share(relative, errors?.relative), cosine(toBase, errors?.cosine)]),
]

const pairColumns = (hasBase: boolean) => [
  { title: 'apart by', align: 'right' } as const,
  { title: 'cosine', align: 'right' } as const,
  ...(hasBase
    ? ([
        { title: 'cosine of changes', align: 'right' },
        { title: 'opposite', align: 'right' },
      ] as const)
    : []),
]

const pairCells = ({ apart, cosine: of, changes, standardErrors: errors }: DiagnosedPair): string[] => [
  share(apart, errors?.apart),
  cosine(of, errors?.cosine),
  ...(changes === null
    ? []
    : [cosine(changes.cosine, errors?.changes?.cosine), share(changes.conflicts, errors?.changes?.conflicts)]),
]
