import { CheckpointError } from '../errors.ts'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Makes a fetch that goes through the proxy which the environment names (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, and NO_PROXY for
 * hosts without one; lower case first, as curl has it). Node itself does that from version 24 on, where it is asked to.
 * @returns undefined where no proxy is named
 * @throws `hub-proxy`
 */
export async function fetchThroughProxy(environment: Environment): Promise<typeof fetch | undefined> {
  const any = readProxy(environment, 'all_proxy')
  const httpsProxy = readProxy(environment, 'https_proxy') ?? any
  const httpProxy = readProxy(environment, 'http_proxy') ?? any
  if (httpsProxy === undefined && httpProxy === undefined) return undefined
  const { EnvHttpProxyAgent, fetch: fetchWith } = await import('undici')
  const dispatcher = new EnvHttpProxyAgent({
    // An empty text keeps the agent from looking into the environment of the process.
    httpProxy: httpProxy ?? '',
    httpsProxy: httpsProxy ?? '',
    noProxy: environment['no_proxy'] ?? environment['NO_PROXY'] ?? '',
  })
  return ((input, init) =>
    fetchWith(input as string, { ...(init as object), dispatcher }) as unknown as Promise<Response>) as typeof fetch
}

function readProxy(environment: Environment, name: string): string | undefined {
  const variable = environment[name] === undefined ? name.toUpperCase() : name
  const text = environment[variable]?.trim()
  if (text === undefined || text === '') return undefined
  const address = /^[a-z][\w+.-]*:\/\//i.test(text) ? text : `http://${text}`
  if (!URL.canParse(address)) throw new CheckpointError({ code: 'hub-proxy', variable, problem: 'is no URL' })
  const { protocol } = new URL(address)
  if (protocol !== 'http:' && protocol !== 'https:')
    throw new CheckpointError({ code: 'hub-proxy', variable, problem: `names a proxy of the kind ${protocol}//` })
  return address
}
