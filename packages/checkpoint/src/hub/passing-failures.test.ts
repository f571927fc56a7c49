import { expect, test } from 'vitest'
import { describeNetworkError, readRetryAfter } from './passing-failures.ts'
import { fetchThroughProxy } from './proxy.ts'

const failed = (facts: object, message = '') =>
  Object.assign(new TypeError('fetch failed'), { cause: Object.assign(new Error(message), facts) })

test.each([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'ETIMEDOUT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])('%s reaches no host', (code) => {
  expect(describeNetworkError(failed({ code, hostname: 'h' }))).toEqual({
    reason: expect.stringMatching(new RegExp(`^\\w.* \\(${code}\\)$`)),
    isUnreachable: true,
    host: 'h',
  })
})

test.each<[unknown, string, boolean]>([
  [failed({ code: 'ECONNRESET' }), 'ECONNRESET', false],
  [failed({ code: 5 }), 'the connection failed', false],
  [failed({}, 'bad port'), 'no web server may have this port', true],
  [failed({}, 'no answer in time'), 'no answer in time', false],
  [failed({}, 'https://signed.example/secret'), 'the connection failed', false],
  [Object.assign(new Error('x'), { code: 'EPIPE' }), 'EPIPE', false],
  ['text', 'the connection failed', false],
  [undefined, 'the connection failed', false],
])('%s is told as %j', (error, reason, isUnreachable) => {
  expect(describeNetworkError(error)).toEqual({ reason, isUnreachable, host: undefined })
})

test.each<[Record<string, string>, number | undefined]>([
  [{}, undefined],
  [{ 'retry-after': '3' }, 3000],
  [{ 'retry-after': ' 1.5 ' }, 1500],
  [{ 'retry-after': new Date(10_000).toUTCString() }, 6000],
  [{ 'retry-after': new Date(1000).toUTCString() }, 0],
  [{ 'retry-after': 'soon', ratelimit: '"api";r=0;t=7' }, 7000],
  [{ ratelimit: 'limit=5, reset=9' }, 9000],
  [{ ratelimit: 'at=9' }, undefined],
  [{ 'retry-after': '3', ratelimit: 't=7' }, 3000],
])('%j asks for %s ms', (headers, milliseconds) => {
  expect(readRetryAfter(new Headers(headers), 4000)).toBe(milliseconds)
})

test.each<[Record<string, string>, boolean]>([
  [{}, false],
  [{ HTTPS_PROXY: ' ' }, false],
  [{ NO_PROXY: 'a' }, false],
  [{ HTTPS_PROXY: 'proxy:1' }, true],
  [{ http_proxy: 'http://proxy:1' }, true],
  [{ ALL_PROXY: 'https://proxy:1' }, true],
  [{ https_proxy: '', HTTPS_PROXY: 'proxy:1' }, false],
])('%j names a proxy: %s', async (environment, isNamed) => {
  expect(typeof (await fetchThroughProxy(environment))).toBe(isNamed ? 'function' : 'undefined')
})

test.each<[Record<string, string>, string, string]>([
  [{ HTTPS_PROXY: 'http://[' }, 'HTTPS_PROXY', 'is no URL'],
  [{ all_proxy: 'socks5://proxy:1' }, 'all_proxy', 'names a proxy of the kind socks5://'],
])('%j is refused', async (environment, variable, problem) => {
  await expect(fetchThroughProxy(environment)).rejects.toMatchObject({
    issue: { code: 'hub-proxy', variable, problem },
  })
})
