/** Reasons for which no host was reached at all; asking again at once gives the same answer, unless it was there a moment ago. */
const unreachable: Readonly<Record<string, string>> = {
  ENOTFOUND: 'no address is known for this name',
  EAI_AGAIN: 'the name service does not answer',
  ECONNREFUSED: 'the connection is refused',
  EHOSTUNREACH: 'there is no way to this host',
  ENETUNREACH: 'there is no way to this network',
  UND_ERR_CONNECT_TIMEOUT: 'nobody answers there',
  ETIMEDOUT: 'nobody answers there',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by an authority that is not known here (NODE_EXTRA_CA_CERTS)',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'its certificate is signed by an authority that is not known here (NODE_EXTRA_CA_CERTS)',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'its certificate is signed by an authority that is not known here (NODE_EXTRA_CA_CERTS)',
}

export interface NetworkFailure {
  readonly reason: string
  readonly isUnreachable: boolean
  /** The host that was asked for, where the error tells: another one than the hub's after a redirection. */
  readonly host: string | undefined
}

/** Tells why a connection failed; never the error's own text as a whole, which may name a signed address. */
export function describeNetworkError(error: unknown): NetworkFailure {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  const { code, hostname } = (cause ?? {}) as { readonly code?: unknown; readonly hostname?: unknown }
  const known = typeof code === 'string' ? unreachable[code] : undefined
  const host = typeof hostname === 'string' ? hostname : undefined
  if (known !== undefined) return { reason: `${known} (${String(code)})`, isUnreachable: true, host }
  if (typeof code === 'string') return { reason: code, isUnreachable: false, host }
  // fetch gives these two no code.
  const message = cause instanceof Error ? cause.message : ''
  if (message === 'bad port') return { reason: 'no web server may have this port', isUnreachable: true, host }
  const reason = message === 'no answer in time' ? message : 'the connection failed'
  return { reason, isUnreachable: false, host }
}

/**
 * Reads how long a server wants to be left alone: `Retry-After` (seconds or a date), else the `t` of `RateLimit`
 * (https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/). @returns milliseconds
 */
export function readRetryAfter(headers: Headers, now: number = Date.now()): number | undefined {
  const after = headers.get('retry-after')?.trim()
  if (after !== undefined && /^\d+(\.\d+)?$/.test(after)) return Number(after) * 1000
  const date = after === undefined ? Number.NaN : Date.parse(after)
  if (!Number.isNaN(date)) return Math.max(0, date - now)
  const seconds = /(?:^|[;,\s])(?:t|reset)\s*=\s*(\d+)/i.exec(headers.get('ratelimit') ?? '')?.[1]
  return seconds === undefined ? undefined : Number(seconds) * 1000
}
