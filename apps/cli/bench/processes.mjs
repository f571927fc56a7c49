// Merges and the I/O floor as whole processes, in pairs.
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const here = (path) => fileURLToPath(new URL(path, import.meta.url))

/**
 * Makes the program that does nothing but read and write: in C where there is a compiler for it, else in JavaScript, which needs more
 * time. `close` removes what was made.
 */
export function makeFloor() {
  const folder = mkdtempSync(join(tmpdir(), 'mk-floor-'))
  const program = join(folder, 'io-floor')
  const { status } = spawnSync('cc', ['-O2', '-pthread', '-o', program, here('io-floor.c')], { stdio: 'ignore' })
  const close = () => rmSync(folder, { recursive: true })
  if (status === 0) return { language: 'C', run: (args) => usageOf(program, args), close }
  return { language: 'JavaScript', run: (args) => timed([here('io-floor.mjs'), ...args]), close }
}

/**
 * Runs a merge and the bare reading and writing of the same bytes in turns.
 * @param options `cold`: with none of the inputs in the page cache
 * @returns the median ratio of their times, the merge's median seconds, of the wall clock and of the processor and up to its first byte of
 * weights, the floor's, the merge's peak memory and the bytes it wrote
 */
export async function comparePairs({ merge, floor, inputs, out, threads, runs, cold = false }) {
  const folder = join(out, 'merged')
  const first = await timed(merge(folder))
  const outBytes = existsSync(folder) ? bytesOf(shardsOf(folder)) : 0
  const begin = () => cold && evict(inputs)
  const runFloor = () => floor.run([join(out, 'floor.bin'), String(outBytes), String(threads), ...inputs])
  await runFloor()
  const pairs = []
  for (let run = 0; run < runs; run++) {
    rmSync(folder, { recursive: true, force: true })
    begin()
    const merged = await timed(merge(folder))
    rmSync(folder, { recursive: true, force: true })
    begin()
    pairs.push({ merged, bare: await runFloor() })
  }
  return {
    ratio: median(pairs.map(({ merged, bare }) => merged.seconds / bare.seconds)),
    ...mediansOf(pairs.map(({ merged }) => merged)),
    firstByteSeconds: median(pairs.map(({ merged }) => merged.firstByteSeconds)),
    floor: mediansOf(pairs.map(({ bare }) => bare)),
    peakBytes: Math.max(first.peakBytes, ...pairs.map(({ merged }) => merged.peakBytes)),
    outBytes,
  }
}

const mediansOf = (runs) =>
  Object.fromEntries(
    ['seconds', 'userSeconds', 'systemSeconds'].map((figure) => [figure, median(runs.map((run) => run[figure]))]),
  )

/** Runs a program of Node's to its end. @returns as `usageOf` */
export const timed = (args) => usageOf(process.execPath, ['--require', here('report-usage.cjs'), ...args])

/**
 * Runs a program to its end, which tells what it took on file descriptor 3.
 * @returns seconds by the wall clock and by the processor, those of user and system, those of the main thread up to its first task for
 * another one and in all, peak resident memory in bytes, and the seconds up to
 * the first byte of weights, NaN where none is told of
 */
function usageOf(program, args) {
  // Where this is set Node reads certificates at its start, for a twentieth of a second that no other machine has.
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env
  return new Promise((resolve) => {
    const startedAt = performance.now()
    const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'inherit', 'pipe'] })
    let told = ''
    child.stdio[3].on('data', (data) => (told += data))
    child.on('close', (status, signal) => {
      if (status !== 0) fail(`${args.join(' ')}: ${signal === null ? `exit status ${status}` : `ended by ${signal}`}`)
      const seconds = (performance.now() - startedAt) / 1000
      const lines = told.trim().split('\n')
      const [peakBytes, userSeconds, systemSeconds] = lines.at(-1).split(' ').map(Number)
      const first = lines.filter((line) => line.startsWith('first ')).map((line) => Number(line.slice('first '.length)))
      const firstByteSeconds = first.length > 0 ? (Math.min(...first) - performance.timeOrigin - startedAt) / 1000 : NaN
      const cpuSeconds = userSeconds + systemSeconds
      const ofMain = (what) => Number(lines.find((line) => line.startsWith(`${what} `))?.slice(what.length) ?? NaN)
      const main = { plannedSeconds: ofMain('planned'), mainSeconds: ofMain('main') }
      resolve({ seconds, cpuSeconds, userSeconds, systemSeconds, ...main, peakBytes, firstByteSeconds })
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

/** Takes files out of the page cache; what is still to be written stays. */
function evict(files) {
  for (const file of files) {
    const { status } = spawnSync('dd', [`if=${file}`, 'iflag=nocache', 'count=0'], { stdio: 'ignore' })
    if (status !== 0) fail('a cold page cache needs a dd that knows iflag=nocache, as that of GNU does')
  }
}

export function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
}

export function fail(message) {
  console.error(message)
  process.exit(2)
}
