import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { CheckpointError } from '../errors.ts'
import { isReadOnTheWay, parseEndpoint } from './endpoint.ts'
import type { HubActivity } from './hub-activity.ts'
import { fetchThroughProxy } from './proxy.ts'

/** How the hub is reached, and where its files are kept. */
export interface HubOptions {
  /** Folder of the cache; absent: HF_HUB_CACHE, else HF_HOME/hub, else ~/.cache/huggingface/hub. */
  readonly transformersCache?: string
  /** In place of `process.env`. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** In place of the global `fetch`, or of one that goes through the proxy that the environment names. */
  readonly fetch?: typeof fetch
  /** Ask the hub what a branch or tag stands for now, also where the cache has a complete model for it. */
  readonly refresh?: boolean
  /** Told what goes on while no bytes of weights arrive: questions, repetitions, waiting. */
  readonly onActivity?: (activity: HubActivity) => void
  /** How many files come at a time; 4 if absent. */
  readonly parallelFiles?: number
  /** Pause before the first repetition of a failed request, doubled for each further one; 500 if absent. */
  readonly retryDelayMs?: number
  /** How long a connection may deliver nothing before it is given up; 60,000 if absent. */
  readonly stallMs?: number
  /** In place of asking the file system. */
  readonly freeBytes?: (folder: string) => Promise<number>
  /** Stops downloads; what has arrived is kept. */
  readonly signal?: AbortSignal
}

export interface HubSettings {
  /** Without a slash at the end. */
  readonly endpoint: string
  readonly cacheFolder: string
  readonly offline: boolean
  readonly hasToken: boolean
  readonly fetch: typeof fetch
  /** Tells whether a text has the token in it. */
  holdsToken(text: string): boolean
  /** What every request says of who asks. */
  readonly headers: Readonly<Record<string, string>>
  /** The headers for a request: the token goes to the endpoint alone. */
  authorize(url: string): Readonly<Record<string, string>>
}

/** Reads the settings of the hub from the environment, as huggingface_hub documents it. @throws `hub-endpoint`, `hub-token`, `hub-proxy` */
export async function readHubSettings({
  transformersCache,
  environment = process.env,
  fetch: givenFetch,
}: HubOptions): Promise<HubSettings> {
  const home = environment['HF_HOME'] || join(environment['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'huggingface')
  const cacheFolder =
    transformersCache ?? (environment['HF_HUB_CACHE'] || environment['HUGGINGFACE_HUB_CACHE'] || join(home, 'hub'))
  const endpoint = parseEndpoint(environment['HF_ENDPOINT'] || 'https://huggingface.co')
  const token = await readToken(environment, home)
  const { origin } = new URL(endpoint)
  if (token !== undefined && isReadOnTheWay(endpoint))
    throw new CheckpointError({
      code: 'hub-endpoint',
      problem:
        'is an address without encryption at another machine, where the Hugging Face token would be sent in the clear; set HF_HUB_DISABLE_IMPLICIT_TOKEN=1 to go without the token, or give an https address',
    })
  return {
    endpoint,
    cacheFolder,
    offline: isOn(environment['HF_HUB_OFFLINE']) || isOn(environment['TRANSFORMERS_OFFLINE']),
    hasToken: token !== undefined,
    fetch: givenFetch ?? (await fetchThroughProxy(environment)) ?? fetch,
    headers: { 'user-agent': userAgent() },
    holdsToken: (text) => token !== undefined && text.includes(token),
    authorize: (url) =>
      token !== undefined && new URL(url).origin === origin ? { authorization: `Bearer ${token}` } : {},
  }
}

async function readToken(
  environment: NonNullable<HubOptions['environment']>,
  home: string,
): Promise<string | undefined> {
  if (isOn(environment['HF_HUB_DISABLE_IMPLICIT_TOKEN'])) return undefined
  const given = environment['HF_TOKEN'] || environment['HUGGING_FACE_HUB_TOKEN']
  const token = (
    given ?? (await readFile(environment['HF_TOKEN_PATH'] || join(home, 'token'), 'utf8').catch(() => ''))
  ).trim()
  if (token === '') return undefined
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new CheckpointError({ code: 'hub-token', problem: 'holds spaces or other characters that no token has' })
  return token
}

const isOn = (value: string | undefined): boolean => /^(1|on|yes|true)$/i.test(value ?? '')

/** Tells the hub who asks. */
function userAgent(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return `mk/${version}; node/${process.versions.node}`
}
