import type { GatherSegment } from '@mk/source'
import type { VocabularyModel } from './read-models.ts'
import { holdsFor, type Side, type SurgeonSettings } from './settings.ts'
import { createFinder, matchTokens, type TokenMatch } from './vocabulary/match-tokens.ts'
import type { TokenMeaning } from './vocabulary/token-text.ts'

/** Tokens that look untrained, by their ids. */
export interface UntrainedTokens {
  readonly model: ReadonlySet<number>
  readonly donor: ReadonlySet<number>
}

/** What the rows of a matrix are made of. */
export interface RowPlan {
  /** In the order of DONOR's tokens. */
  readonly matches: readonly TokenMatch[]
  /** Of the output: rows of MODEL (source 0), and new ones (source 1), in the order of `targets`. */
  readonly segments: readonly GatherSegment[]
  /** Tokens with new rows, in order. */
  readonly targets: readonly TokenMeaning[]
  /** Rows of tokens that both models have: row by row of each. */
  readonly shared: { readonly donor: readonly number[]; readonly model: readonly number[] }
}

/** What a matrix of the output is planned by. */
export interface RowRequest {
  readonly model: Pick<VocabularyModel, 'tokens'>
  readonly donor: Pick<VocabularyModel, 'tokens'>
  /** Rows of the matrix in MODEL and DONOR, and in the output. */
  readonly rows: { readonly model: number; readonly donor: number; readonly out: number }
  readonly side: Side
  readonly settings: Pick<SurgeonSettings, 'byteMatch' | 'prefixMatch'>
  /** Absent: all tokens count as trained. */
  readonly untrained?: UntrainedTokens | undefined
}

/**
 * Decides which row of the output is made of what: MODEL's row of the same token, or of one that matches otherwise, or a new one; zeros
 * for ids without a token, and for tokens that look untrained in DONOR and aren't there in MODEL, or look so there, too.
 */
export function planRows({ model, donor, rows, side, settings, untrained }: RowRequest): RowPlan {
  const present = model.tokens.filter(({ id }) => id < rows.model)
  const everything = untrained && createFinder(present)
  const usable = untrained === undefined ? present : present.filter(({ id }) => !untrained.model.has(id))
  const finder = createFinder(usable)
  const kinds = { byte: holdsFor(settings.byteMatch, side), prefix: holdsFor(settings.prefixMatch, side) }
  const matches = matchTokens(donor.tokens, finder, kinds).map((match, index): TokenMatch => {
    // A token that is untrained on one side only says nothing of how the sides belong together.
    const isUntrained = untrained?.donor.has(donor.tokens[index]!.id) === true
    return isUntrained && match.kind === 'exact' ? { kind: 'new' } : match
  })
  const isJunk = (token: TokenMeaning): boolean => {
    if (untrained === undefined || !untrained.donor.has(token.id)) return false
    const own = everything!.exact(token)
    return own === undefined || untrained.model.has(own)
  }
  const runs = createRuns()
  const targets: TokenMeaning[] = []
  const shared = { donor: [] as number[], model: [] as number[] }
  donor.tokens.forEach((token, index) => {
    const match = matches[index]!
    runs.zerosTo(token.id)
    if (isJunk(token)) runs.zerosTo(token.id + 1)
    else if (match.kind === 'new') runs.copy(1, targets.push(token) - 1)
    else runs.copy(0, match.model)
    if (match.kind === 'exact' && token.id < rows.donor) {
      shared.donor.push(token.id)
      shared.model.push(match.model)
    }
  })
  runs.zerosTo(rows.out)
  return { matches, segments: runs.segments, targets, shared }
}

function createRuns() {
  const segments: GatherSegment[] = []
  let length = 0
  return {
    segments,
    copy(source: number, row: number): void {
      const last = segments.at(-1)
      length++
      if (last?.kind === 'copy' && last.source === source && last.row + last.rowCount === row)
        segments[segments.length - 1] = { ...last, rowCount: last.rowCount + 1 }
      else segments.push({ kind: 'copy', rowCount: 1, source, row })
    },
    zerosTo(end: number): void {
      if (end <= length) return
      const rowCount = end - length
      length = end
      const last = segments.at(-1)
      if (last?.kind === 'zero') segments[segments.length - 1] = { kind: 'zero', rowCount: last.rowCount + rowCount }
      else segments.push({ kind: 'zero', rowCount })
    },
  }
}
