// What no merge can be faster than: reads files from end to end and writes a number of bytes, with as many threads.
// Usage: io-floor.mjs OUT_FILE OUT_BYTES THREADS INPUT…
import { closeSync, ftruncateSync, openSync, readSync, rmSync, statSync, writeSync } from 'node:fs'
import { isMainThread, Worker, workerData } from 'node:worker_threads'

const chunk = 1 << 20

if (isMainThread) {
  const [out, outBytes, threads, ...inputs] = process.argv.slice(2)
  const descriptor = openSync(out, 'w')
  ftruncateSync(descriptor, Number(outBytes))
  closeSync(descriptor)
  const workers = Array.from({ length: Number(threads) }, (_, index) => {
    const worker = new Worker(new URL(import.meta.url), {
      workerData: { out, outBytes: Number(outBytes), threads: Number(threads), index, inputs },
    })
    return new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject))
  })
  await Promise.all(workers)
  rmSync(out)
} else {
  const { out, outBytes, threads, index, inputs } = workerData
  const buffer = Buffer.alloc(chunk)
  const files = inputs.map((file) => ({ descriptor: openSync(file, 'r'), bytes: statSync(file).size }))
  const output = openSync(out, 'r+')
  const readBytes = files.reduce((sum, { bytes }) => sum + bytes, 0)
  let written = index * chunk
  let done = 0
  // Writes keep pace with reads, as in a merge.
  for (const { descriptor, bytes } of files) {
    for (let position = index * chunk; position < bytes; position += threads * chunk) {
      done += readSync(descriptor, buffer, 0, Math.min(chunk, bytes - position), position) * threads
      for (; written < outBytes && written / outBytes <= done / readBytes; written += threads * chunk) {
        writeSync(output, buffer, 0, Math.min(chunk, outBytes - written), written)
      }
    }
  }
  for (; written < outBytes; written += threads * chunk)
    writeSync(output, buffer, 0, Math.min(chunk, outBytes - written), written)
}
