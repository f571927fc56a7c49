import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { openCheckpoint } from '@mk/checkpoint'
import { promise } from '../broken-promise.mjs'
import { modelFile } from '../golden-models.mjs'
import { honestAnswers, startHub } from '../hub-answers.mjs'
import { mutateJson, oddText, oddValue, stringify } from '../mutate-json.mjs'
import { mutateText } from '../mutate-text.mjs'

const id = 'org/model'
const token = 'hf_secretsecretsecret'
const names = ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'model.safetensors']
/** More than this for one small model is a client that does not come to its end. */
const maxRequests = 300

const oddHeaders = [
  { link: '<HUB/api/models/org/model/tree/main?cursor=1>; rel="next"' },
  { link: '<STRANGER/api/models/org/model/tree/main>; rel="next"' },
  { 'content-encoding': 'gzip' },
  { 'content-type': 'text/html' },
  { 'x-error-code': 'GatedRepo' },
  { 'x-error-code': 'RepoNotFound' },
  { 'content-range': 'bytes 0-0/1' },
  { 'content-length': '1' },
]
const redirects = ['STRANGER/steal', 'HUB/elsewhere', '/', 'file:///etc/passwd', 'http://127.0.0.1:1/']

/** Answers of a hub: nothing is written outside of the cache, and the token goes nowhere else. */
export const hubAnswers = {
  name: 'hub-answers',
  extension: 'json',
  async open({ folder, outside }) {
    const files = Object.fromEntries(names.map((name) => [name, modelFile('llama-base', name)]))
    const honest = honestAnswers(id, files)
    const hub = await startHub(id)
    const cache = join(folder, 'cache')
    return {
      make(random) {
        const change = () =>
          random.pick([
            () => ({ status: random.pick([200, 204, 206, 301, 400, 401, 403, 404, 416, 500, 503]) }),
            () => ({ status: 302, headers: { location: random.pick(redirects) } }),
            () => ({ headers: random.pick(oddHeaders) }),
            () => ({ body: random.pick(['', '[]', '{}', 'null', '<html>', oddText(random)]) }),
          ])()
        const list = random.pick([
          () => mutateJson(random, honest.list),
          () => withOddNames(random, honest.list, outside),
          () => withOddField(random, honest.list),
        ])()
        return JSON.stringify({
          revision: random.chance(0.7) ? stringify(honest.revision) : stringify(mutateJson(random, honest.revision)),
          list: random.chance(0.8) ? stringify(list) : mutateText(random, stringify(list)),
          answers: random.chance(0.4) ? { [random.pick(['revision', 'list', 'file'])]: change() } : {},
        })
      },
      async check(bytes) {
        rmSync(cache, { recursive: true, force: true })
        mkdirSync(cache)
        hub.play({ ...JSON.parse(bytes.toString()), files })
        const environment = { HF_ENDPOINT: hub.url, HF_HOME: cache, HF_TOKEN: token }
        const options = { environment, retryDelayMs: 1, stallMs: 2000, signal: AbortSignal.timeout(4000) }
        try {
          await openCheckpoint({ path: id, adapters: [] }, { roots: [folder], hub: options })
        } catch (error) {
          promise(!String(error.message).includes(token), 'the token is in an error')
          if (options.signal.aborted)
            promise(false, `no end after ${hub.seen.hubRequests > maxRequests ? 'hundreds of' : 'a few'} requests`)
          throw error
        } finally {
          promise(hub.seen.strangerAuthorizations.length === 0, 'the token went to another host')
          promise(hub.seen.hubRequests <= maxRequests, 'no end of requests')
        }
      },
      close: () => hub.close(),
    }
  },
}

/** One field of one entry, or all of that name, that is missing, of another type, or huge. */
function withOddField(random, list) {
  const key = random.pick(['type', 'path', 'size', 'oid', 'lfs'])
  const value = random.pick([
    () => undefined,
    () => oddValue(random),
    () => 'x'.repeat(10 ** (2 + random.below(5))),
    () => Array(1000).fill('x'),
    () => 1e300,
  ])()
  const isAll = random.chance(0.3)
  const chosen = random.below(list.length)
  return list.map((entry, index) => {
    if (!isAll && index !== chosen) return entry
    if (key === 'lfs' && random.chance(0.5)) return { ...entry, lfs: { ...entry.lfs, oid: value } }
    return { ...entry, [key]: value }
  })
}

function withOddNames(random, list, outside) {
  const oddNames = [
    '../evil.jinja',
    '../../evil.model',
    '..',
    '.',
    'a/../../evil.model',
    '..\\evil.model',
    'evil\0.model',
    'sub/x.model',
    '%2e%2e%2fevil.model',
    'con.model',
    '-rf.model',
    'tokenizer.json/../../evil.model',
    '\u001b[2Jx.model',
    `${outside}/evil.jinja`,
    `../../../../..${outside}/evil.model`,
  ]
  const oddHashes = ['../../../../evil', '', 'x'.repeat(40), 'c'.repeat(40), 'C'.repeat(64)]
  return list.flatMap((entry) => {
    if (random.chance(0.3)) return [entry, { ...entry, path: random.pick(oddNames) }]
    return random.chance(0.2) ? [{ ...entry, oid: random.pick(oddHashes), lfs: undefined }] : [entry]
  })
}
