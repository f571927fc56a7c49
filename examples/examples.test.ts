import { execFileSync } from 'node:child_process'
import { mkdtempSync, openAsBlob, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseSafetensorsMetadata } from '@huggingface/hub'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const command = join(root, 'apps/cli/bin/mergekit-yaml.cjs')

/** What `parseSafetensorsMetadata` of the hub's own library asks of a hub, answered from a folder. */
function hubOf(folder: string): typeof fetch {
  return async (request, { method = 'GET', headers } = {}) => {
    const name = decodeURIComponent(new URL(String(request)).pathname)
      .split('/')
      .at(-1)!
    const size = statSync(join(folder, name), { throwIfNoEntry: false })?.size
    if (size === undefined) return new Response(null, { status: 404, headers: { 'X-Error-Code': 'EntryNotFound' } })
    const [, start = 0, end = size - 1] =
      /bytes=(\d+)-(\d+)?/.exec(new Headers(headers).get('range') ?? '')?.map(Number) ?? []
    const last = Math.min(end, size - 1)
    const body = method === 'HEAD' ? null : (await openAsBlob(join(folder, name))).slice(start, last + 1)
    return new Response(body, {
      status: 206,
      headers: {
        'content-range': `bytes ${start}-${last}/${size}`,
        'content-length': String(last + 1 - start),
        etag: '"1"',
      },
    })
  }
}

async function readFolder(folder: string) {
  const { sharded, parameterTotal, ...parsed } = await parseSafetensorsMetadata({
    repo: 'a/b',
    fetch: hubOf(folder),
    computeParametersCount: true,
  })
  const headers = 'headers' in parsed ? parsed.headers : { 'model.safetensors': parsed.header }
  return { sharded, parameterTotal, headers }
}

const halfFloat = (bits: number) =>
  (bits & 0x8000 ? -1 : 1) * (1 + (bits & 0x3ff) / 1024) * 2 ** (((bits >> 10) & 31) - 15)
const bfloat = (bits: number) => new Float32Array(Uint32Array.of(bits << 16).buffer)[0]!

/** The first element of a tensor in a folder of one file, found by the other library's header. */
async function firstElement(folder: string, name: string): Promise<number> {
  const { dtype, data_offsets } = (await readFolder(folder)).headers['model.safetensors']![name] as {
    dtype: string
    data_offsets: [number, number]
  }
  const file = readFileSync(join(folder, 'model.safetensors'))
  const bits = file.readUInt16LE(8 + Number(file.readBigUInt64LE(0)) + data_offsets[0])
  return dtype === 'F16' ? halfFloat(bits) : bfloat(bits)
}

describe('what the examples give, read by @huggingface/hub', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mk-examples-'))
  const merge = (recipe: string, ...flags: string[]) => {
    const out = join(folder, recipe + flags.join(''))
    execFileSync(process.execPath, [command, `examples/recipes/${recipe}.yml`, out, '--quiet', ...flags], { cwd: root })
    return out
  }
  const model = (name: string) => join(root, 'examples/models', name)
  let inputs: number[]

  beforeAll(async () => {
    inputs = await Promise.all(
      ['tiny-base', 'tiny-code', 'tiny-prose'].map((name) => firstElement(model(name), 'model.norm.weight')),
    )
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  test('linear: as many parameters as one input, and the weighted mean of them', async () => {
    const out = merge('linear')
    const { parameterTotal } = await readFolder(out)
    expect(parameterTotal).toBe((await readFolder(model('tiny-base'))).parameterTotal)
    const [base, code, prose] = inputs as [number, number, number]
    expect(await firstElement(out, 'model.norm.weight')).toBeCloseTo((1 * base + 0.3 * code + 0.5 * prose) / 1.8, 3)
  })

  test('layers: eight layers, the upper ones from the other model', async () => {
    const out = merge('layers')
    const header = (await readFolder(out)).headers['model.safetensors']!
    const names = Object.keys(header)
    expect(Math.max(...names.map((name) => Number(/layers\.(\d+)\./.exec(name)?.[1] ?? 0)))).toBe(7)
    const moved = 'self_attn.q_proj.weight'
    expect(await firstElement(out, `model.layers.7.${moved}`)).toBeCloseTo(
      await firstElement(model('tiny-prose'), `model.layers.5.${moved}`),
      4,
    )
    expect(await firstElement(out, 'model.norm.weight')).toBeCloseTo(inputs[2]!, 4)
    const rows = ['model.embed_tokens.weight', 'lm_head.weight'].map(
      (name) => (header[name] as { shape: number[] }).shape[0],
    )
    const { vocab_size: vocabularySize } = JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')) as {
      vocab_size: number
    }
    expect(rows).toEqual([vocabularySize, vocabularySize])
  })

  test('gradient-slerp: sharded, the index names every tensor of every shard', async () => {
    const whole = await readFolder(merge('gradient-slerp'))
    const parts = await readFolder(merge('gradient-slerp', '--out-shard-size', '1MB'))
    expect([whole.sharded, parts.sharded, parts.parameterTotal]).toEqual([false, true, whole.parameterTotal])
    const shapes = (headers: typeof parts.headers) =>
      Object.fromEntries(
        Object.values(headers)
          .flatMap((header) =>
            Object.entries(header).flatMap(([name, { shape }]) => (name === '__metadata__' ? [] : [[name, shape]])),
          )
          .toSorted(),
      )
    expect(shapes(parts.headers)).toEqual(shapes(whole.headers))
  })
})
