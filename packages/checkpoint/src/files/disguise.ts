import { latin1Text } from './latin1.ts'
import { quoted } from '@mk/errors'
import { type FileStore, readStart } from '@mk/source'
import { CheckpointError } from '../errors.ts'

/** How many bytes at the start of a file `describeDisguise` looks at; shorter messages of servers are seen whole. */
const startBytes = 1024

/** A beginning of a file, as latin1, and what to say of the file after its name. */
type Beginning = readonly [string | RegExp, string]

/** Text that a version control system leaves where it did not fetch the file. */
const pointers: readonly Beginning[] = [
  [
    /^version https:\/\/(git-lfs\.github\.com|hawser\.github\.com)\/spec/,
    "is a Git LFS pointer, not the file itself; run 'git lfs pull' in its folder, or download the file",
  ],
  [/^# xet version/, 'is a pointer of Git Xet, not the file itself; download the file'],
  [
    /^(\.\.\/|\/)*(\.git\/)?annex\/objects\//,
    "is a pointer of git-annex, not the file itself; run 'git annex get', or download the file",
  ],
]

/** What no file of a model begins with. */
const others: readonly Beginning[] = [
  [
    /^(\xef\xbb\xbf)?\s*<(!doctype\s+html|html|head|\?xml|error)[\s>]/i,
    'is a web page (HTML), not the file itself; download the file (at the hub, its address has /resolve/ where that of its page has /blob/)',
  ],
  ['\x1f\x8b', 'is compressed with gzip; unpack it first'],
  [/^BZh[1-9]1AY/, 'is compressed with bzip2; unpack it first'],
  ['\xfd7zXZ\0', 'is compressed with xz; unpack it first'],
  ['\x28\xb5\x2f\xfd', 'is compressed with zstd; unpack it first'],
  ['7z\xbc\xaf\x27\x1c', 'is an archive of 7-Zip; unpack it first'],
  [/^[^]{257}ustar/, 'is a tar archive; unpack it first'],
  ['GGUF', 'is a GGUF file; its name has to end in .gguf'],
  ['\x89HDF\r\n', 'is an HDF5 file, as Keras writes it; expected weights of PyTorch, best as safetensors'],
  ['\x93NUMPY', 'is an array of NumPy; expected weights of PyTorch, best as safetensors'],
  ['\0'.repeat(64), 'begins with zeros only; is the download or copy complete?'],
]

/** Beginnings that are right in a file of torch and wrong in any other. */
const ofTorch: readonly Beginning[] = [
  ['PK\x03\x04', 'is a zip archive; if torch.save wrote it, its name has to end in .bin'],
  ...['\x02', '\x03', '\x04', '\x05'].map((protocol): Beginning => [
    `\x80${protocol}`,
    'is a pickle, as torch.save wrote it once; its name has to end in .bin',
  ]),
]

/** What servers answer in place of a file, where it is text. */
const sentences =
  /^\s*(entry not found|repository not found|file not found|invalid username or password|invalid credentials|access to model|access denied|cannot access gated repo|you are trying to access a gated repo|revision not found|(\d{3}:? )?(not found|forbidden|unauthorized|bad gateway|too many requests|internal server error))\b/i

const answerKeys = /^(error|errors|message|detail|code|status|statusCode|error_code|documentation_url|url|requestId)$/

/**
 * What a name promises of the content. `text` may hold anything readable, `vocabulary` is binary or lines, and of `other` files
 * only a pointer to the real one can be told.
 */
export type Promised = 'safetensors' | 'torch' | 'gguf' | 'json' | 'vocabulary' | 'text' | 'other'

/**
 * Tells by its first bytes what a file is that isn't what its name says: a pointer of Git LFS, a web page, an answer of a
 * server, something packed, nothing. The text goes on from the file's name. Undefined where nothing speaks against the name.
 * @param start the first kilobyte, or all of a shorter file
 */
export function describeDisguise(start: Uint8Array, promised: Promised): string | undefined {
  const text = latin1Text(start.subarray(0, startBytes))
  const known = [
    ...pointers,
    ...(promised === 'other' ? [] : others),
    ...(promised === 'other' || promised === 'torch' ? [] : ofTorch),
  ]
  const found = known.find(
    ([beginning]) => beginsWith(text, beginning) && !(promised === 'gguf' && beginning === 'GGUF'),
  )?.[1]
  if (found !== undefined) return found
  if (promised !== 'other' && start.length < startBytes && isAnswer(text))
    return `is an answer of a server, ${quoted(text.trim())}, not the file itself; download it again`
  switch (promised) {
    case 'safetensors':
    case 'torch':
    case 'gguf':
      if (start.length === 0) return nothing
      if (promised === 'torch' && text.startsWith('\0\0{', 6))
        return 'is a safetensors file; its name has to end in .safetensors'
      if (promised === 'gguf' && text.startsWith('GGUF')) return undefined
      return isText(text) ? `is text that begins with ${quoted(text.trim().slice(0, 40))}` : undefined
    case 'json':
      if (/^(\xff\xfe|\xfe\xff)/.test(text)) return 'is text in UTF-16; save it in UTF-8'
      return start.length < startBytes && /^(\xef\xbb\xbf)?\s*$/.test(text) ? nothing : undefined
    case 'vocabulary':
      return start.length === 0 ? nothing : undefined
    case 'text':
    case 'other':
      return undefined
    default:
      return promised satisfies never
  }
}

const beginsWith = (text: string, beginning: string | RegExp): boolean =>
  typeof beginning === 'string' ? text.startsWith(beginning) : beginning.test(text)

const nothing = 'is empty (0 bytes); is the download or copy complete?'

/** A sentence that servers say, or an object of keys that only answers have, such as `{"error": "…"}`. */
function isAnswer(text: string): boolean {
  if (sentences.test(text)) return true
  if (!/^\s*\{\s*"(error|errors|message|detail|code|status)"/.test(text)) return false
  try {
    return Object.keys(JSON.parse(text) as object).every((key) => answerKeys.test(key))
  } catch {
    return false
  }
}

/** The length that a safetensors file begins with has zeros, and what torch writes has other control characters. */
const isText = (text: string): boolean => /^[\t\n\r\x20-\x7e]{1,32}$/.test(text.slice(0, 32))

/** Tells by a file's name what it should hold. */
export function promisedBy(name: string): Promised {
  if (name.endsWith('.safetensors')) return 'safetensors'
  if (name.endsWith('.gguf')) return 'gguf'
  if (/\.(bin|pt|pth|ckpt)$/.test(name)) return 'torch'
  if (name.endsWith('.json')) return 'json'
  if (/\.(model|spm|tiktoken)$/.test(name)) return 'vocabulary'
  return /\.(txt|py|jinja|bpe|codes)$/.test(name) ? 'text' : 'other'
}

/**
 * Reads the start of a file and tells what it is instead of what its name says; undefined where it is what it should be.
 * @throws SafetensorsError `file-shrank`, or what the store says
 */
export async function findDisguise(
  store: FileStore,
  file: string,
  promised = promisedBy(file),
): Promise<string | undefined> {
  // Opening a pipe would wait for whoever writes to it.
  if ((await store.stat(file)).kind !== 'file') return undefined
  return describeDisguise(await readStart(store, file, startBytes), promised)
}

/** Runs what parses a file; where that fails, a file that isn't what its name says is named as that. */
export async function parsing<T>(store: FileStore, file: string, parse: () => Promise<T>): Promise<T> {
  try {
    return await parse()
  } catch (cause) {
    const found = await findDisguise(store, file).catch(() => undefined)
    if (found === undefined) throw cause
    throw new CheckpointError({ code: 'disguised-file', file, found }, { cause })
  }
}
