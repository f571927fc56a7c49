// What publint and "are the types wrong" find in a tarball.
import { readFileSync } from 'node:fs'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'

/** @returns what is wrong, each in a line; none where all is right */
export async function checkTarball(file, manifest) {
  const bytes = readFileSync(file)
  const { messages } = await publint({
    pack: { tarball: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) },
    strict: true,
  })
  const { problems = [] } = await checkPackage(createPackageFromTarballData(new Uint8Array(bytes)))
  return [
    ...messages.map((message) => `publint: ${formatMessage(message, manifest) ?? message.code}`),
    ...problems.filter((problem) => !isExpected(problem)).map((problem) => `types: ${JSON.stringify(problem)}`),
  ]
}

/** Packages are ES modules alone: `require` of old is not served, and node10 knows no `exports`. */
const isExpected = ({ kind, resolutionKind }) =>
  kind === 'CJSResolvesToESM' || (kind === 'NoResolution' && resolutionKind === 'node10') || resolutionKind === 'node10'
