const heading = '## Checksums'

/**
 * Writes the section of a model card that has the SHA-256 of files, as `sha256sum` prints and checks them.
 * @param checksums of each file, as 64 hexadecimal digits
 */
export function formatChecksums(checksums: ReadonlyMap<string, string>): string {
  const lines = [...checksums].map(([name, checksum]) => `${checksum}  ${name}`)
  return [heading, '', 'SHA-256 of each file:', '', '```text', ...lines, '```', ''].join('\n')
}

/** Finds what `formatChecksums` wrote, in a card that may have been edited elsewhere; undefined where it has no such section. */
export function parseChecksums(card: string): ReadonlyMap<string, string> | undefined {
  const text = card.replaceAll('\r\n', '\n')
  const section = text.slice(text.lastIndexOf(`\n${heading}\n`) + 1)
  if (!section.startsWith(heading)) return undefined
  const block = /^```text\n([\s\S]*?)^```$/m.exec(section)?.[1]
  if (block === undefined) return undefined
  const lines = [...block.matchAll(/^([\da-f]{64}) [ *](\S.*)$/gim)]
  return new Map(lines.map(([, checksum, name]) => [name!, checksum!.toLowerCase()]))
}
