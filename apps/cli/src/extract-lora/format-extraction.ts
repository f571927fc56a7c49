import { counted, printable } from '@mk/errors'
import type { ExtractionPlan, ExtractionResult, WholeModule } from '@mk/lora'
import { formatBytes, formatSeconds } from '../print/sizes.ts'
import { type PlainScreen, plainScreen } from '../print/style.ts'
import { wrapText } from '../print/wrap-text.ts'

/** Formats what was extracted: where it is, how large, of what ranks, and what the factors leave. */
export function formatExtraction(
  { out, ranks, errors, whole, unchanged, writtenBytes }: ExtractionResult,
  seconds: number,
  { width }: PlainScreen = plainScreen,
): string {
  const all = Object.values(ranks)
  const [least, most] = [Math.min(...all), Math.max(...all)]
  const range = least === most ? `rank ${most}` : `ranks ${least} to ${most}`
  const [worst, error] = Object.entries(errors).reduce((a, b) => (b[1] > a[1] ? b : a), ['', 0])
  return lines(width, [
    `${out}: ${counted(all.length, 'module')} of ${range}, ${whole.length} whole, ${unchanged.length} unchanged, ${formatBytes(writtenBytes)}, ${formatSeconds(seconds)}`,
    error === 0
      ? 'of the changes the factors leave nothing'
      : `of the changes the factors leave at most ${(100 * error).toFixed(1)} % (${worst})`,
  ])
}

const reasons: Readonly<Record<WholeModule['reason'], string>> = {
  embedding: 'embeddings and heads; --embed-lora decomposes them',
  asked: 'asked for by --save-module',
  undecomposable: 'no matrices of a linear layer; --skip-undecomposable leaves them out',
  vocabulary: 'of another vocabulary',
}

/** Formats which modules an extraction will look at: by last components, or each of them. */
export function formatExtractionPlan(
  { decomposed, whole, leftOut }: ExtractionPlan,
  { screen, full }: { readonly screen: PlainScreen; readonly full: boolean },
): string {
  const named = (modules: readonly string[]) => (full ? modules : groupByName(modules)).map((name) => `  ${name}`)
  const kinds = [...new Set(whole.map(({ reason }) => reason))]
  return lines(screen.width, [
    `decomposed where changed: ${counted(decomposed.length, 'module')}`,
    ...named(decomposed.map(({ module }) => module)),
    ...kinds.flatMap((kind) => {
      const modules = whole.filter(({ reason }) => reason === kind).map(({ module }) => module)
      return [`saved whole where changed: ${counted(modules.length, 'module')} (${reasons[kind]})`, ...named(modules)]
    }),
    ...(leftOut.length === 0 ? [] : [`left out: ${counted(leftOut.length, 'module')}`, ...named(leftOut)]),
  ])
}

function groupByName(modules: readonly string[]): string[] {
  const counts = new Map<string, number>()
  for (const module of modules) {
    const name = module.slice(module.lastIndexOf('.') + 1)
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return [...counts].map(([name, count]) => (count === 1 ? name : `${name} × ${count}`))
}

const lines = (width: number | undefined, texts: readonly string[]): string =>
  texts.map((text) => `${wrapText(printable(text), width, '    ')}\n`).join('')
