const { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs')
const { join } = require('node:path')
const { pathToFileURL } = require('node:url')
const { Script } = require('node:vm')
const { isMainThread } = require('node:worker_threads')

// Lies in every bundle (docs/decisions/bundled-commands.md), so that what its chunks import is looked for from there.

/**
 * When what was compiled is kept, in milliseconds: early, since a thread may be ended at any time, and once more when what a merge needs
 * has run on a slow machine, too, and has not been forgotten again.
 */
const keepAfterMs = [700, 3000]

/**
 * When the engine of Node 20 begins to wait longer before it optimizes a function, in milliseconds: a merge runs most of them for moments,
 * in which that takes longer than it gains. Later engines wait by themselves. Not from the start, since what is kept compiled fits one set
 * of flags, that of Node's own modules as well.
 */
const waitAfterMs = 300
/**
 * What a function has run before it is optimized, in bytes of its code, and up to which size one is optimized earlier: the defaults of that
 * engine, and what a merge does better with.
 */
const optimizing = {
  usual: ['--interrupt-budget=67584', '--max-bytecode-size-for-early-opt=81'],
  later: ['--interrupt-budget=1000000', '--max-bytecode-size-for-early-opt=0'],
}

/** Modules of Node's that bring many others, and that commands name without using anything of them. */
const usedRarely = new Set(['node:child_process', 'node:module'])

/** Chunks whose name tells their content; others may come to have another one, and are small. */
const isNamedByContent = (chunk) => /-[\w-]{8}\.cjs$/.test(chunk)

/**
 * Loads a chunk of the bundle and what it requires, compiled by an earlier process where one kept that beside the chunks.
 * @param {string} name the chunk's
 * @returns what the chunk exports
 */
exports.loadChunk = (name) => {
  const kept = process.env.NODE_DISABLE_COMPILE_CACHE === '1' ? undefined : join(__dirname, keptName())
  const modules = new Map()
  /** Chunks of which nothing was kept that fits this engine. */
  const compiled = new Map()

  const load = (chunk) => {
    const known = modules.get(chunk)
    if (known !== undefined) return known.exports
    const filename = join(__dirname, chunk)
    const isKept = kept !== undefined && isNamedByContent(chunk)
    const cachedData = isKept ? readIfThere(join(kept, chunk)) : undefined
    const script = new Script(readFileSync(filename, 'latin1'), { filename, cachedData })
    if (isKept && (cachedData === undefined || script.cachedDataRejected)) compiled.set(chunk, script)
    const loaded = { exports: {} }
    modules.set(chunk, loaded)
    script.runInThisContext()(loaded.exports, requireHere, loaded, importMeta, importHere)
    return loaded.exports
  }
  const requireHere = (id) =>
    id.startsWith('./') ? load(id.slice(2)) : usedRarely.has(id) ? requireWhenUsed(id) : require(id)

  const keep = () => {
    if (compiled.size === 0) return
    setOptimizing(optimizing.usual)
    try {
      // Not the bundle's own folder, which may just be replaced.
      if (!existsSync(kept)) mkdirSync(kept)
      for (const [chunk, script] of compiled) {
        // Several processes may do so at once, and threads.
        const making = join(kept, `${chunk}-${process.pid}-${performance.now()}`)
        writeFileSync(making, script.createCachedData())
        renameSync(making, join(kept, chunk))
      }
    } catch {
      // Where nobody may write the next process compiles again.
    }
    setOptimizing(optimizing.later)
  }
  if (kept !== undefined) {
    for (const ms of keepAfterMs) setTimeout(keep, ms).unref()
    setTimeout(() => process.off('exit', keep), keepAfterMs.at(-1)).unref()
    process.once('exit', keep)
  }
  if (isMainThread) setTimeout(setOptimizing, waitAfterMs, optimizing.later).unref()
  return load(name)
}

function setOptimizing(flags) {
  if (process.version.startsWith('v20.')) for (const flag of flags) require('node:v8').setFlagsFromString(flag)
}

const requireWhenUsed = (id) => new Proxy({}, { get: (_, name) => require(id)[name] })

const importMeta = {
  url: pathToFileURL(__filename).href,
  resolve: (specifier) => pathToFileURL(require.resolve(specifier)).href,
}

/** What was compiled by another process can't import by itself. */
const importHere = (specifier) => import(specifier)

/** What is compiled fits one engine with one set of flags. */
function keptName() {
  const { arch, env, execArgv, version } = process
  const isPlain = execArgv.length === 0 && !env.NODE_OPTIONS
  return `compiled-${version}-${arch}${isPlain ? '' : `-${require('node:v8').cachedDataVersionTag()}`}`
}

function readIfThere(path) {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}
