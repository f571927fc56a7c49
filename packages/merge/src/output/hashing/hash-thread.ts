// What a thread that hashes runs.
import { parentPort } from 'node:worker_threads'
import { createFileHasher } from './file-hasher.ts'

/** Asks a thread to go on with a file, or for what it has made of all of it. */
export type HashRequest =
  | { readonly id: number; readonly file: string; readonly end: number }
  | { readonly id: number; readonly file: string; readonly isWhole: true }

/** An answer to each request, in their order. */
export type HashAnswer =
  | { readonly id: number; readonly digest?: string }
  /** With what errors of the system have. */
  | { readonly id: number; readonly error: { readonly message: string } & Partial<NodeJS.ErrnoException> }

const SLICE_BYTES = 2 ** 20

const port = parentPort
// Imported anywhere but in a thread it has nobody to serve.
if (port !== null) {
  const hasher = createFileHasher(SLICE_BYTES)
  const answer = (request: HashRequest): HashAnswer => {
    try {
      if ('isWhole' in request) return { id: request.id, digest: hasher.digest(request.file) }
      hasher.advance(request.file, request.end)
      return { id: request.id }
    } catch (error) {
      const { message, code, errno, syscall, path } = error as NodeJS.ErrnoException
      return { id: request.id, error: { name: 'Error', message, code, errno, syscall, path } }
    }
  }
  port.on('message', (request: HashRequest) => port.postMessage(answer(request)))
}
