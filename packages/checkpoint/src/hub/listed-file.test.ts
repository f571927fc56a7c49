import { describe, expect, it } from 'vitest'
import type { CheckpointError } from '../errors.ts'
import { createHubClient } from './hub-client.ts'
import { readHubSettings } from './hub-settings.ts'
import { parseListedFile } from './listed-file.ts'

const hash = 'a'.repeat(40)
const honest = { type: 'file', path: 'config.json', size: 2, oid: hash }
const large = { ...honest, lfs: { oid: 'b'.repeat(64), size: 2, pointerSize: 130 } }

it('an entry of the list is a name, a size and a hash: of large files that of their bytes', () => {
  expect(parseListedFile(honest, 'org/model')).toEqual({ name: 'config.json', byteCount: 2, hash })
  expect(parseListedFile(large, 'org/model')).toEqual({ name: 'config.json', byteCount: 2, hash: 'b'.repeat(64) })
})

const odd: readonly unknown[] = [
  undefined,
  null,
  0,
  -1,
  1.5,
  2 ** 60,
  true,
  '',
  'x',
  {},
  [],
  ['x'],
  { toString: 1 },
  'x'.repeat(1e6),
]
const refused = { code: 'hub-answer' }

/** What came of it: the code of an error, or whether it is a file as the cache needs it. */
function outcomeOf(entry: unknown): string {
  try {
    const file = parseListedFile(entry, 'org/model')
    if (file === undefined) return 'none'
    return [file.name, file.hash].every((text) => typeof text === 'string') ? 'file' : 'odd'
  } catch (error) {
    const { code, message } = error as CheckpointError
    return message.length < 500 ? code : 'long'
  }
}
const bearable = expect.toBeOneOf(['none', 'file', 'hub-answer'])

describe('an entry that is not right', () => {
  it.each(['type', 'path', 'size', 'oid', 'lfs'])('in its %s, missing or of any kind, is no foreign error', (key) => {
    const entries = odd.flatMap((value) => [honest, large].map((entry) => ({ ...entry, [key]: value })))
    expect(entries.map(outcomeOf)).toEqual(entries.map(() => bearable))
  })

  it('being of another kind itself is refused or none', () => {
    expect(odd.map(outcomeOf)).toEqual(odd.map((entry) => (typeof entry === 'object' && entry ? 'none' : 'hub-answer')))
  })

  it('without a path is an error that says so', () => {
    const { path: _, ...rest } = honest
    expect(() => parseListedFile(rest, 'org/model')).toThrow('a file in its list has the path undefined')
  })

  it('with a name that no file system takes, or that leaves the folder, is none', () => {
    for (const path of ['x'.repeat(256), 'é'.repeat(128), '../x', 'a/b', 'a\0', 'a\ud800', '..', ''])
      expect(parseListedFile({ ...honest, path }, 'org/model')).toBeUndefined()
    expect(parseListedFile({ ...honest, path: 'é'.repeat(127) }, 'org/model')).toBeDefined()
  })
})

describe('an answer of the hub', () => {
  const clientOf = async (answer: () => Response, environment: Record<string, string> = {}) => {
    const options = {
      environment: { HF_HOME: '/nowhere', HF_ENDPOINT: 'http://127.0.0.1:9', ...environment },
      fetch: (async () => answer()) as typeof fetch,
      stallMs: 50,
      retryDelayMs: 1,
    }
    return createHubClient('org/model', await readHubSettings(options), options)
  }

  it('that has no end is given up', async () => {
    const endless = () =>
      new Response(new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(2 ** 20).fill(32)) }))
    const client = await clientOf(endless)
    await expect(client.findCommit('main')).rejects.toThrow("the revision 'main' has more than 16777216 bytes")
    await expect(client.listFiles(hash)).rejects.toMatchObject(refused)
  })

  it('whose body never comes is given up', async () => {
    const client = await clientOf(() => new Response(new ReadableStream({})))
    await expect(client.listFiles(hash)).rejects.toMatchObject({ code: 'hub-unreachable' })
  })

  it.each(['', 'null', '{}', '"x"', '[[]]', '[null]', '{"sha": 5}', '{"sha": ["x"]}', '<html>'])(
    'that is %s is no foreign error',
    async (text) => {
      const client = await clientOf(() => new Response(text))
      await expect(client.findCommit('main')).rejects.toMatchObject(refused)
      const listed = client
        .listFiles(hash)
        .then(({ files }) => files)
        .catch((error: CheckpointError) => error.code)
      expect(await listed).toEqual(expect.toBeOneOf([[], 'hub-answer']))
    },
  )

  it('that gives the token back in a name has it in no list', async () => {
    const files = [honest, { ...honest, path: 'token-is-mysecret.json' }]
    const client = await clientOf(() => Response.json(files), { HF_TOKEN: 'mysecret' })
    expect((await client.listFiles(hash)).files.map(({ name }) => name)).toEqual(['config.json'])
  })
})
