import { existsSync, mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openCheckpoint } from '@mk/checkpoint'
import { createSourceReader } from '@mk/source/node'
import { promise } from '../broken-promise.mjs'
import { copyModel, replaceFile } from '../golden-models.mjs'
import { oddText } from '../mutate-json.mjs'

const segments = [
  '..',
  '.',
  '',
  'model',
  'roots',
  'secret',
  '~',
  '-rf',
  'a b',
  'é',
  '\u0000',
  '\n',
  '%2e%2e',
  'con',
  'x'.repeat(300),
]

/** Paths of models, revisions, adapters and shards: nothing is read from outside of a model, nothing is written at all. */
export const paths = {
  name: 'paths',
  extension: 'json',
  async open({ folder, outside }) {
    const model = copyModel('llama16-base', join(folder, 'model'))
    const secret = join(outside, 'secret')
    const pathOf = (random) => {
      const count = 1 + random.below(6)
      const path = Array.from({ length: count }, () =>
        random.pick(random.chance(0.9) ? segments : [oddText(random)]),
      ).join(random.pick(['/', '/', '\\']))
      return random.pick([
        path,
        path,
        `/${path}`,
        `${folder}/${path}`,
        `file://${path}`,
        `http://127.0.0.1:1/${path}`,
        `${path}@${path}`,
        secret,
      ])
    }
    return {
      make: (random) =>
        JSON.stringify(
          random.chance(0.5)
            ? { kind: 'shard', shard: pathOf(random), link: random.chance(0.2) }
            : {
                kind: 'model',
                path: pathOf(random),
                ...(random.chance(0.3) && { revision: pathOf(random) }),
                adapters: random.chance(0.2) ? [{ path: pathOf(random) }] : [],
              },
        ),
      async check(bytes) {
        const { kind, shard, link, path, revision, adapters } = JSON.parse(bytes.toString())
        mkdirSync(secret, { recursive: true })
        writeFileSync(join(secret, 'model.safetensors'), 'secret')
        const options = {
          roots: [folder],
          hub: { environment: { HF_HUB_OFFLINE: '1', HF_HOME: join(folder, 'cache') } },
        }
        try {
          if (kind === 'model')
            await openCheckpoint({ path, adapters, ...(revision !== undefined && { revision }) }, options)
          else await openShard({ model, shard, link, options })
        } finally {
          rmSync(secret, { recursive: true })
        }
      },
    }
  },
}

async function openShard({ model, shard, link, options }) {
  const index = { metadata: {}, weight_map: { a: shard, b: 'model-00001-of-00002.safetensors' } }
  replaceFile(model, 'model.safetensors.index.json', JSON.stringify(index))
  const linked = join(model, 'linked.safetensors')
  rmSync(linked, { force: true })
  if (link && shard !== '' && !shard.includes('\0')) symlinkSync(shard, linked)
  const { tensors } = await openCheckpoint({ path: model, adapters: [] }, options)
  const reader = createSourceReader()
  try {
    for (const source of tensors.values()) {
      if (source.file === undefined) continue
      const isInside = existsSync(source.file) && realpathSync(source.file).startsWith(realpathSync(model))
      promise(isInside, 'a tensor is read from outside of the model')
      reader.read(source, 0, 0, new Uint8Array(0))
    }
  } finally {
    reader.close()
  }
}
