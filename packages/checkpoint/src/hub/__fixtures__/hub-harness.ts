import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect } from 'vitest'
import { CheckpointError } from '../../errors.ts'
import type { HubModel, ResolveHubOptions } from '../hub-model.ts'
import { resolveHubModel } from '../resolve-hub-model.ts'
import { commit, id, sharded } from './hub-model.ts'
import { type HubServer, type HubServerOptions, startHubServer } from './hub-server.ts'

export interface HubHarness {
  readonly cache: string
  readonly server: HubServer
  /** Starts a hub in place of the one before. */
  serve(options?: Partial<HubServerOptions>): Promise<void>
  resolve(
    options?: ResolveHubOptions & { env?: Record<string, string>; revision?: string; id?: string },
  ): Promise<HubModel>
  /** The folder of the model in the cache. */
  repo(): string
  requested(host: 'hub' | 'cdn'): HubServer['requests']
}

/** An empty cache for each test of the calling file, and a hub if it asks for one. */
export function useHub(): HubHarness {
  let cache = ''
  let server: HubServer | undefined
  beforeEach(async () => {
    cache = await mkdtemp(join(tmpdir(), 'mk-hub-'))
  })
  afterEach(async () => {
    await server?.close()
    server = undefined
    await rm(cache, { recursive: true, force: true })
  })
  return {
    get cache() {
      return cache
    },
    get server() {
      return server!
    },
    async serve(options = {}) {
      await server?.close()
      server = await startHubServer({ id, commit, files: sharded, ...options })
    },
    resolve(options = {}) {
      const environment = { HF_HOME: cache, HF_ENDPOINT: server?.url ?? 'http://127.0.0.1:9', ...options.env }
      return resolveHubModel(options.id ?? id, options.revision, {
        environment,
        retryDelayMs: 1,
        stallMs: 2000,
        ...options,
      })
    },
    repo: () => join(cache, 'hub', 'models--org--model'),
    requested: (host) => server!.requests.filter((request) => request.host === host),
  }
}

/** @returns the error, having made sure that no token is in it. */
export async function failure(promise: Promise<unknown>): Promise<CheckpointError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(CheckpointError)
  expect(
    JSON.stringify(error, Object.getOwnPropertyNames(error)) +
      String((error as Error).stack) +
      String((error as Error).cause),
  ).not.toContain('secret')
  return error as CheckpointError
}

/** Compared at once: element by element it takes long. */
export const equals =
  (expected: Uint8Array | string | undefined) =>
  (found: Uint8Array): boolean =>
    Buffer.from(expected as Uint8Array).equals(found)
