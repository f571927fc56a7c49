// Merges and the I/O floor as whole processes, in pairs.
import { spawn } from 'node:child_process'
import { closeSync, openSync, readdirSync, readSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const here = (path) => fileURLToPath(new URL(path, import.meta.url))

/**
 * Runs a merge and the bare reading and writing of the same bytes in turns.
 * @returns the median ratio of their times, the merge's median seconds, its peak memory and the bytes it wrote
 */
export async function comparePairs({ merge, inputs, out, threads, runs }) {
  const folder = join(out, 'merged')
  const first = await timed(merge(folder))
  const outBytes = bytesOf(shardsOf(folder))
  const floor = () =>
    timed([here('io-floor.mjs'), join(out, 'floor.bin'), String(outBytes), String(threads), ...inputs])
  await floor()
  const pairs = []
  for (let run = 0; run < runs; run++) {
    rmSync(folder, { recursive: true, force: true })
    const merged = await timed(merge(folder))
    rmSync(folder, { recursive: true, force: true })
    pairs.push({ merged, floor: await floor() })
  }
  return {
    ratio: median(pairs.map(({ merged, floor: { seconds: bare } }) => merged.seconds / bare)),
    seconds: median(pairs.map(({ merged }) => merged.seconds)),
    peakBytes: Math.max(first.peakBytes, ...pairs.map(({ merged }) => merged.peakBytes)),
    outBytes,
  }
}

/** Runs a program to its end. @returns wall-clock and processor seconds, and peak resident memory in bytes */
export function timed(args) {
  return new Promise((resolve) => {
    const startedAt = performance.now()
    const child = spawn(process.execPath, ['--import', here('report-usage.mjs'), ...args], {
      stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
    })
    let peak = ''
    child.stdio[3].on('data', (data) => (peak += data))
    child.on('close', (status) => {
      if (status !== 0) fail(`${args.join(' ')}: exit status ${status}`)
      const [peakBytes, cpuSeconds] = peak.split(' ').map(Number)
      resolve({ seconds: (performance.now() - startedAt) / 1000, cpuSeconds, peakBytes })
    })
  })
}

export function shardsOf(folder) {
  return readdirSync(folder)
    .filter((name) => /\.(safetensors|gguf)$/.test(name))
    .map((name) => join(folder, name))
}

export function bytesOf(files) {
  return files.reduce((sum, file) => sum + statSync(file).size, 0)
}

/** Reads files to the page cache. */
export function warmUp(files) {
  const buffer = Buffer.alloc(1 << 22)
  for (const file of files) {
    const descriptor = openSync(file)
    while (readSync(descriptor, buffer) > 0);
    closeSync(descriptor)
  }
}

export function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
}

export function fail(message) {
  console.error(message)
  process.exit(2)
}
