import { printable } from '@mk/errors'
import type { DiffCell, Difference, ModelDiff, TensorDiff } from '@mk/inspect'
import { type Column, formatTable } from '../print/format-table.ts'
import type { PlainScreen } from '../print/style.ts'
import { wrapText } from '../print/wrap-text.ts'
import { cosine as cosineOf, number, share } from './format-numbers.ts'

/** Formats a comparison: the verdict, what stands out, and a table of the kinds of tensors, or of all. */
export function formatDiff(
  { verdict, total, kinds, tensors }: ModelDiff,
  { screen, full }: { readonly screen: PlainScreen; readonly full: boolean },
): string {
  const { width, style } = screen
  const has = { base: total.changes !== undefined, ranks: total.effectiveRank !== undefined }
  const rows = full
    ? tensors.map((tensor) => [...cellsOf(tensor.difference, has, stateOf(tensor)), tensor.name])
    : kinds.map((kind) => [...cellsOf(kind.difference, has), nameOf(kind)])
  const all = [...rows, [...cellsOf(total, has), full ? 'all that were compared' : 'all']]
  return [
    style.bold(wrapText(printable(verdict.text), width, '  ')),
    ...verdict.notes.map((note) => wrapText(`- ${printable(note)}`, width, '  ')),
    '',
    ...formatTable(
      [...columns(has), { title: full ? 'tensor' : 'kind' }],
      all.map((row) => row.map(printable)),
      width,
    ),
    '',
  ].join('\n')
}

const nameOf = ({ module, kind }: Pick<DiffCell, 'module' | 'kind'>): string =>
  module === undefined ? kind : `${module}: ${kind}`

/** What was compared beside the two models. */
interface Compared {
  readonly base: boolean
  readonly ranks: boolean
}

const columns = ({ base, ranks }: Compared): Column[] => [
  { title: 'differs by', align: 'right' },
  { title: 'cosine', align: 'right' },
  { title: 'changed', align: 'right', dropOrder: 3 },
  { title: 'largest', align: 'right', dropOrder: 2 },
  { title: 'mean', align: 'right', dropOrder: 4 },
  ...(base
    ? ([
        { title: 'cosine of changes', align: 'right' },
        { title: 'opposite', align: 'right', dropOrder: 1 },
        { title: 'overlap', align: 'right', dropOrder: 1 },
      ] as const)
    : []),
  ...(ranks ? ([{ title: 'effective rank', align: 'right' }] as const) : []),
]

function cellsOf(difference: Difference | undefined, has: Compared, state = ''): string[] {
  const count = columns(has).length
  if (difference === undefined) return [state, ...Array.from({ length: count - 1 }, () => '')]
  const { relative, cosine, changed, largest, mean, changes, effectiveRank } = difference
  const shares = changes && [cosineOf(changes.cosine), share(changes.conflicts), share(changes.overlap)]
  return [
    share(relative),
    cosineOf(cosine),
    share(changed),
    number(largest),
    number(mean),
    ...(has.base ? (shares ?? ['', '', '']) : []),
    ...(has.ranks ? [rankOf(effectiveRank)] : []),
  ]
}

/** Of how many it could be, and whether it is an estimate. */
const rankOf = (found: Difference['effectiveRank']): string =>
  found === undefined ? '' : `${found.isEstimate ? '~' : ''}${number(found.rank)} of ${number(found.most)}`

const states: Readonly<Record<TensorDiff['state'], string>> = {
  compared: '',
  'only-a': 'only in A',
  'only-b': 'only in B',
  'other-shape': 'other shape',
}
const stateOf = ({ state }: TensorDiff): string => states[state]
