import { counted, printable } from '@mk/errors'
import type { Verification } from '@mk/inspect'
import type { PlainScreen } from '../print/style.ts'
import { wrapText } from '../print/wrap-text.ts'

/** Formats what was found of an output: a line of what was looked at, then one for each fault, doubts last. */
export function formatVerification(
  { out, isSound, faults, tensorCount, fileCount, checksumCount, computedCount }: Verification,
  { width, style }: PlainScreen,
): string {
  const looked = [
    `${counted(tensorCount, 'tensor')} in ${counted(fileCount, 'file')}`,
    checksumCount === null ? 'no checksums to compare' : counted(checksumCount, 'checksum'),
    ...(computedCount === null ? [] : [`${counted(computedCount, 'tensor')} computed anew`]),
  ].join(', ')
  const wrong = faults.filter(({ isDoubt }) => !isDoubt).length
  const verdict = isSound
    ? faults.length === 0
      ? 'nothing is wrong'
      : 'nothing is surely wrong'
    : `${counted(wrong === 0 ? faults.length : wrong, 'fault')}`
  const line = (text: string) => wrapText(printable(text), width, '  ')
  const ordered = [...faults.filter(({ isDoubt }) => !isDoubt), ...faults.filter(({ isDoubt }) => isDoubt)]
  return [
    style.bold(line(`${out}: ${verdict} (${looked})`)),
    ...ordered.map(({ isDoubt, text }) => `${isDoubt ? style.yellow('doubt: ') : style.red('wrong: ')}${line(text)}`),
    '',
  ].join('\n')
}
