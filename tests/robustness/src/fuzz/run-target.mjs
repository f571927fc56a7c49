import { fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { limits } from './limits.mjs'

const child = fileURLToPath(new URL('fuzz-child.mjs', import.meta.url))
const corpusFolder = fileURLToPath(new URL('../../corpus/', import.meta.url))
/** Larger inputs are not kept: seed and number make them again. */
const maxKeptBytes = 32_768
/** So many of one kind are kept, and so many in all; the corpus is read in every run. */
const maxKept = 1
const maxCorpusFiles = 24

/**
 * Gives inputs to one target, in children that are watched: one that hangs or dies ends only itself.
 * @param {import('./targets/index.mjs').FuzzTarget} target
 * @param {{ seed: string, from: number, to: number, seconds: number, work: string, keep: boolean, report: ReturnType<typeof import('../report.mjs').createReport> }} options
 */
export async function runTarget(target, { seed, from, to, seconds, work, keep, report }) {
  const folder = join(work, target.name)
  const endsAt = performance.now() + seconds * 1000
  const totals = { accepted: 0, refused: 0 }
  /** @type {Map<string, number>} */
  const kinds = new Map()
  let corpus = listCorpus(target.name)
  let next = from
  for (let isDone = false; !isDone;) {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    const left = Math.max(0, (endsAt - performance.now()) / 1000)
    const end = await runChild({ target: target.name, seed, from: next, to, seconds: left, work: folder, corpus }, note)
    isDone = end.isDone || performance.now() > endsAt || end.at === undefined
    if (end.isDone) continue
    note({ at: end.at, what: end.what, input: readIfThere(join(folder, 'current')) })
    // On with what comes after the input that ended the child.
    if (typeof end.at === 'number') [next, corpus] = [end.at + 1, []]
    else corpus = corpus.slice(corpus.indexOf(end.at) + 1)
  }
  rmSync(folder, { recursive: true, force: true })
  return totals

  function note({ at, what, input, accepted = 0, refused = 0 }) {
    totals.accepted += accepted
    totals.refused += refused
    for (let count = accepted + refused; count > 0; count--) report.checked(target.name)
    if (what === undefined) return
    const kind = what
      .replace(/\d+/g, '#')
      .replace(/'[^']*'/g, "'…'")
      .replaceAll(work, '')
      .slice(0, 110)
    const count = (kinds.get(kind) ?? 0) + 1
    kinds.set(kind, count)
    const kept = keep && count <= maxKept && typeof at === 'number' ? keepInput(target, input) : undefined
    const again =
      typeof at === 'number'
        ? `--targets ${target.name} --seed ${seed} --case ${at}`
        : `corpus/${target.name}/${basename(at ?? '')}`
    report.finding(target.name, kind, [again, kept === undefined ? '' : `kept as ${kept}`, what].join('  '))
  }
}

/** @returns {Promise<{ isDone: boolean, at?: number | string, what?: string }>} */
function runChild(task, note) {
  return new Promise((resolve) => {
    const process_ = fork(child, {
      env: { ...process.env, FUZZ_TASK: JSON.stringify(task) },
      execArgv: [`--max-old-space-size=${limits.heapMegabytes}`],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    let at
    let isDone = false
    let hasHung = false
    let said = ''
    process_.stderr.setEncoding('utf8').on('data', (text) => (said = (said + text).slice(-4000)))
    const hang = () => {
      hasHung = true
      process_.kill('SIGKILL')
    }
    let timer = setTimeout(hang, limits.silenceMs)
    process_.on('message', (message) => {
      clearTimeout(timer)
      timer = setTimeout(hang, limits.silenceMs)
      at = message.at ?? at
      isDone ||= message.isDone === true
      if (message.finding === undefined) note({ accepted: message.accepted, refused: message.refused })
      else note(message.finding)
    })
    process_.on('close', (status, signal) => {
      clearTimeout(timer)
      const cause = /^.*(?:Error|FATAL|heap).*$/m.exec(said)?.[0].slice(0, 160) ?? ''
      const what = hasHung
        ? `hung for ${limits.silenceMs / 1000} s`
        : `ended the process: ${signal ?? `status ${status}`} ${cause}`
      resolve({ isDone, at, what: isDone ? undefined : what })
    })
  })
}

const listCorpus = (name) => {
  const folder = join(corpusFolder, name)
  return existsSync(folder)
    ? readdirSync(folder)
        .toSorted()
        .map((file) => join(folder, file))
    : []
}

const readIfThere = (file) => (existsSync(file) ? readFileSync(file).toString('base64') : '')

/** @returns the file's name, or undefined where the input is too large */
function keepInput({ name, extension }, base64) {
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.length > maxKeptBytes || listCorpus(name).length >= maxCorpusFiles) return undefined
  const file = `${createHash('sha256').update(bytes).digest('hex').slice(0, 12)}.${extension}`
  mkdirSync(join(corpusFolder, name), { recursive: true })
  writeFileSync(join(corpusFolder, name, file), bytes)
  return `corpus/${name}/${file}`
}
