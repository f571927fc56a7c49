import { spawnSync } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type GgufMetadata, layoutGguf } from '@mk/gguf'
import { describe, expect, it } from 'vitest'
import { runBin, withFolder } from '../__fixtures__/run-bin.ts'

const bin = new URL('../../bin/mk-gguf.cjs', import.meta.url)

const metadata: GgufMetadata = new Map([
  ['general.architecture', { type: 'string', value: 'llama' }],
  ['general.name', { type: 'string', value: 'a\u001b[31m name' }],
  ['llama.rope.freq_base', { type: 'float32', value: Math.fround(1e-5) }],
  ['big', { type: 'uint64', value: 2n ** 60n }],
  [
    'tokenizer.ggml.tokens',
    { type: 'array', elementType: 'string', values: Array.from({ length: 9 }, (_, id) => `t${id}`) },
  ],
])

function tinyGguf(): Uint8Array {
  const { header, fileBytes } = layoutGguf(metadata, [
    { name: 'token_embd.weight', type: 'Q8_0', shape: [9, 32] },
    { name: 'output_norm.weight', type: 'F32', shape: [32] },
  ])
  const file = new Uint8Array(fileBytes)
  file.set(header)
  return file
}

describe('mk-gguf info', () => {
  it('prints what a header says, and nothing that a terminal would act on', () =>
    withFolder(async (folder) => {
      writeFileSync(join(folder, 'tiny.gguf'), tinyGguf())
      const { status, stdout, stderr } = await runBin(bin, ['info', 'tiny.gguf'], { cwd: folder })
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      expect(stdout).not.toContain('\u001b')
      expect(stdout).toMatchInlineSnapshot(`
        "tiny.gguf: GGUF 3, llama, 2 tensors of 320 elements, 864 bytes (Q8_0 306 bytes, F32 128 bytes)

        general.architecture   'llama'
        general.name           'a\\u001b[31m name'
        llama.rope.freq_base   0.00001
        big                    1152921504606846976
        tokenizer.ggml.tokens  9 × string: 't0', 't1', 't2', 't3', 't4', 't5', …

        token_embd.weight   Q8_0  9 × 32
        output_norm.weight  F32   32
        "
      `)
    }))

  it('prints all of it as JSON', () =>
    withFolder(async (folder) => {
      writeFileSync(join(folder, 'tiny.gguf'), tinyGguf())
      const { stdout } = await runBin(bin, ['info', '--json', 'tiny.gguf'], { cwd: folder })
      const { version, ggufVersion, metadata: read, tensors } = JSON.parse(stdout)
      expect([version, ggufVersion]).toEqual([1, 3])
      expect(read['tokenizer.ggml.tokens'].values).toHaveLength(9)
      expect(read.big).toEqual({ type: 'uint64', value: String(2n ** 60n) })
      expect(tensors[0]).toMatchObject({ name: 'token_embd.weight', type: 'Q8_0', shape: [9, 32] })
    }))

  it('tells errors as JSON where that is asked for, those of the command line too', async () => {
    const codeOf = async (...args: string[]) => JSON.parse((await runBin(bin, [...args, '--json'])).stdout).error.code
    expect(await codeOf('info', 'none.gguf')).toBe('gguf-unreadable')
    expect(await codeOf('info')).toBe('command-line')
    expect(await codeOf('inof')).toBe('command-line')
    expect(await codeOf('convert', 'model')).toBe('command-line')
    expect(await codeOf('convert', 'model', 'out.gguf', '--type', 'q5')).toBe('command-line')
  })

  it.skipIf(process.platform === 'win32')('ends in peace where nobody reads on', () =>
    withFolder(async (folder) => {
      const tokens = { type: 'array', elementType: 'string', values: Array.from({ length: 50_000 }, String) } as const
      const { header } = layoutGguf(new Map([['tokenizer.ggml.tokens', tokens]]), [])
      writeFileSync(join(folder, 'long.gguf'), header)
      const [node, script] = [process.execPath, fileURLToPath(bin)]
      const command = '"$0" "$1" info --json long.gguf | head -c 9 >/dev/null; echo ${PIPESTATUS[0]}'
      const { stdout, stderr } = spawnSync('bash', ['-c', command, node, script], { cwd: folder, encoding: 'utf8' })
      expect({ stdout, stderr }).toEqual({ stdout: '0\n', stderr: '' })
    }),
  )

  it('fetches the header of a file at the hub, and no more than that', () =>
    withFolder(async (folder) => {
      const file = new Uint8Array(2 ** 23)
      file.set(tinyGguf())
      const ranges: (string | undefined)[] = []
      const server = createServer((request, response) => {
        const commit = 'c0ffee'.padEnd(40, '0')
        if (request.url!.startsWith('/api/models/org/name/revision/v1'))
          return void response.end(JSON.stringify({ id: 'org/name', sha: commit }))
        if (request.url!.startsWith(`/api/models/org/name/tree/${commit}`))
          return void response.end(
            JSON.stringify([{ type: 'file', path: 'tiny.gguf', size: file.length, oid: commit }]),
          )
        ranges.push(request.headers.range)
        const [start, end] = /bytes=(\d+)-(\d+)/.exec(request.headers.range!)!.slice(1).map(Number) as [number, number]
        response.writeHead(206, { 'content-range': `bytes ${start}-${end}/${file.length}` })
        response.end(file.subarray(start, end + 1))
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const env = {
        HF_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        HF_HOME: folder,
        HF_HUB_OFFLINE: '0',
      }
      const { status, stdout, stderr } = await runBin(bin, ['info', 'org/name@v1/tiny.gguf'], { cwd: folder, env })
      server.close()
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      expect(stdout).toMatch(/^org\/name@v1\/tiny.gguf: GGUF 3, llama, 2 tensors/)
      expect(ranges).toEqual(['bytes=0-4194303'])
    }))

  it.each([
    ['a path that can be none at the hub', ['info', '../none/none.gguf'], /^error: can't read .*none\.gguf/],
    [
      'a file that is not there',
      ['info', 'none.gguf'],
      /^error: can't read none.gguf: .*; expected a GGUF file, or one at the hub/,
    ],
    ['a file that is none', ['info', 'package.json'], /^error: package.json: .*starts with/],
    ['no file', ['info'], /^error: missing argument 'file'/],
    ['a command that there is not', ['inof', 'x'], /unknown command/],
    ['no command', [], /^Usage: mk-gguf/],
  ])('ends with status 2 for %s', (_, args, message) =>
    withFolder(async (folder) => {
      writeFileSync(join(folder, 'package.json'), '{"name": "none"}')
      const { status, stderr } = await runBin(bin, args, { cwd: folder })
      expect(stderr).toMatch(message)
      expect(status).toBe(2)
    }),
  )

  it('prints its help', async () => {
    const { status, stdout } = await runBin(bin, ['--help'])
    expect(status).toBe(0)
    expect(stdout).toMatch(/convert \[model\] \[out.gguf\][\s\S]*info \[file\]/)
  })
})
