import { counted, printable } from '@mk/errors'
import type { PushedFile, PushOptions, PushResult } from '@mk/checkpoint/push'
import type { Printer } from '../commands/printer.ts'
import { formatBytes } from '../print/sizes.ts'

/** Who is told of an upload, and what ends it. */
export interface PushContext {
  readonly print: Printer
  readonly signal: AbortSignal
}

/** Uploads a folder, showing how far it has come. @throws what `pushFolder` throws */
export async function pushOutput(
  request: Pick<PushOptions, 'folder' | 'id' | 'isPrivate' | 'isPullRequest' | 'message'>,
  { print, signal }: PushContext,
): Promise<PushResult> {
  print.progress.activity(`asking the hub for ${request.id}`)
  const { pushFolder } = await import('@mk/checkpoint/push')
  const labels = { hashing: 'hashing', uploading: 'uploading', committing: 'uploading' } as const
  let shown: { readonly label: string; readonly phase: ReturnType<Printer['progress']['phase']> } | undefined
  try {
    return await pushFolder({
      ...request,
      hub: { signal },
      onProgress({ phase, doneBytes, totalBytes }) {
        const label = labels[phase]
        if (shown?.label !== label) {
          shown?.phase.end()
          shown = { label, phase: print.progress.phase(label) }
        }
        shown.phase.update({ doneBytes, totalBytes, names: request.id })
      },
    })
  } finally {
    shown?.phase.end()
    print.progress.activity(undefined)
  }
}

/** Says what an upload has made. */
export const formatPushed = ({ url, fileCount, byteCount }: PushResult): string =>
  `uploaded ${counted(fileCount, 'file')}, ${formatBytes(byteCount)}: ${url}\n`

/** Says what would be uploaded. */
export const formatPushPlan = (id: string, files: readonly PushedFile[]): string =>
  [
    ...files.map(({ name, byteCount }) => `${formatBytes(byteCount).padStart(9)}  ${printable(name)}\n`),
    `${counted(files.length, 'file')}, ${formatBytes(files.reduce((sum, { byteCount }) => sum + byteCount, 0))}, would be uploaded to ${printable(id)}\n`,
  ].join('')
