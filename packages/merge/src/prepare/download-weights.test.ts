import type { Checkpoint, DownloadProgress } from '@mk/checkpoint'
import { describe, expect, it } from 'vitest'
import type { MergePlan } from '../plan/merge-plan.ts'
import { listAwaited, type WeightsProgress } from './awaited.ts'
import { downloadWeights } from './download-weights.ts'

type Download = NonNullable<Checkpoint['download']>

const plan = { inputs: [], files: [], tensors: [], documents: [], copies: [] } as unknown as MergePlan

const model = (id: string, downloadBytes: number, download: Download): Checkpoint =>
  ({
    reference: { path: id, adapters: [] },
    folder: process.cwd(),
    hub: { id, commit: 'c'.repeat(40) },
    downloadBytes,
    download,
  }) as unknown as Checkpoint

const progress = (id: string, doneBytes: number, totalBytes: number, earlierBytes = 0): DownloadProgress => ({
  id,
  file: 'model.safetensors',
  doneBytes,
  totalBytes,
  earlierBytes,
})

describe('the weights of several models', () => {
  it('come side by side, four models at a time, and are counted as one', async () => {
    const started: string[] = []
    let release = () => {}
    const gate = new Promise<void>((resolve) => (release = resolve))
    const seen: WeightsProgress[] = []
    const models = ['a', 'b', 'c', 'd', 'e'].map((id) =>
      model(id, 100, async (onProgress) => {
        started.push(id)
        onProgress?.(progress(id, 10, 100, 5))
        await gate
        onProgress?.(progress(id, 100, 100, 5))
      }),
    )
    const downloaded = downloadWeights(models, plan, { onProgress: (state) => seen.push(state) })
    await expect.poll(() => started).toEqual(['a', 'b', 'c', 'd'])
    expect(seen.at(-1)).toMatchObject({ doneBytes: 40, totalBytes: 500, earlierBytes: 20 })
    release()
    await downloaded
    expect(started).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(seen.at(-1)).toMatchObject({ doneBytes: 500, totalBytes: 500, earlierBytes: 25 })
    expect(seen.at(-1)!.models).toEqual(listAwaited(models).map((awaited) => ({ ...awaited, doneBytes: 100 })))
  })

  it('stop where one fails, whose error is told', async () => {
    let stopped: AbortSignal | undefined
    const failing = model('a', 1, () => Promise.reject(new Error('a is gone')))
    const waiting = model('b', 1, (_, signal) => {
      stopped = signal
      return new Promise((_resolve, reject) => signal!.addEventListener('abort', () => reject(signal!.reason as Error)))
    })
    await expect(downloadWeights([waiting, failing], plan, {})).rejects.toThrow('a is gone')
    expect(stopped!.aborted).toBe(true)
  })

  it('that are here need nothing', async () => {
    const here = model('a', 0, () => Promise.reject(new Error('not to be called')))
    await downloadWeights([here], plan, {})
    expect(listAwaited([here])).toEqual([])
  })
})
