import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { runCommand } from '../run-command.mjs'
import { applyMutant } from './find-mutants.mjs'

/** @typedef {import('./sample.mjs').Place} Place */

/**
 * Tells which mutants compile.
 * @param {string} copy of the repository
 * @param {readonly string[]} packages whose sources must compile
 * @param {readonly Place[]} places in these packages
 * @returns {Promise<boolean[]>}
 */
export async function compileMutants(copy, packages, places) {
  const results = new Map()
  for (const name of packages) {
    const folder = `packages/${name}`
    const own = places.filter(({ file }) => file.startsWith(`${folder}/`))
    const answers = own.length === 0 ? [] : await compileAsNeighbors(copy, folder, own)
    for (const [index, place] of own.entries())
      results.set(place, answers[index] ?? (await compileInPlace(copy, packages, place)))
  }
  return places.map((place) => results.get(place))
}

/** Puts a mutant in the place of its file and compiles all that may see it. @param {string} copy @param {readonly string[]} packages @param {Place} place */
async function compileInPlace(copy, packages, { file, mutant }) {
  const path = join(copy, file)
  const source = readFileSync(path, 'utf8')
  // The declarations of a package are what those above it are compiled with.
  const compile = async () => {
    for (const name of packages)
      if ((await runCompiler(copy, `packages/${name}`, packages.length > 1 ? [] : ['--noEmit'])).status !== 0)
        return false
    return true
  }
  writeFileSync(path, applyMutant(source, mutant))
  try {
    return await compile()
  } finally {
    writeFileSync(path, source)
    if (packages.length > 1) await compile()
  }
}

/** What a mutant leaves unused is no mistake of it. */
const flagsOfAll = '--composite false --incremental false --declarationMap false --noUnusedLocals false --pretty false'

function runCompiler(copy, folder, flags) {
  const output = flags.includes('--noEmit') ? [] : ['--declaration', '--emitDeclarationOnly']
  const command = ['node_modules/typescript/bin/tsc', '-p', folder, ...flagsOfAll.split(' '), ...flags, ...output]
  return runCommand([process.execPath, ...command], { cwd: copy, timeoutMs: 600_000 })
}

/**
 * Asks the compiler about many mutants at once: each stands beside its file under another name, as does the file itself.
 * @param {string} copy of the repository
 * @param {string} folder of a package
 * @param {readonly Place[]} places in that package
 * @returns {Promise<(boolean | undefined)[]>} undefined: what others see of the file changes, too, or it can't be compiled
 * under another name
 */
async function compileAsNeighbors(copy, folder, places) {
  const out = mkdtempSync(join(tmpdir(), 'mk-declarations-'))
  const variants = places.map(({ file, mutant }, index) => {
    const source = readFileSync(join(copy, file), 'utf8')
    return {
      mutant: put(file, `m${index}`, applyMutant(source, mutant)),
      control: put(file, 'm', source),
    }
  })
  try {
    const { stdout } = await runCompiler(copy, folder, ['--outDir', out])
    const faulty = new Set(
      [...stdout.matchAll(/^(\S.*?)\(\d+,\d+\): error /gm)].map(([, file]) => file.split(sep).join('/')),
    )
    const isKnown = (file) => variants.some(({ mutant, control }) => file === mutant || file === control)
    if ([...faulty].some((file) => !isKnown(file))) return places.map(() => undefined)
    const declarations = (file) => {
      const path = join(out, file.slice(`${folder}/src/`.length).replace(/\.ts$/, '.d.ts'))
      return existsSync(path) ? readFileSync(path, 'utf8') : undefined
    }
    return variants.map(({ mutant, control }) => {
      if (faulty.has(control)) return undefined
      if (faulty.has(mutant)) return false
      const seen = declarations(mutant)
      return seen !== undefined && seen === declarations(control) ? true : undefined
    })
  } finally {
    for (const { mutant, control } of variants)
      for (const file of [mutant, control]) rmSync(join(copy, file), { force: true })
    rmSync(out, { recursive: true, force: true })
  }

  function put(file, name, text) {
    const path = file.replace(/\.ts$/, `.${name}.ts`)
    writeFileSync(join(copy, path), text)
    return path
  }
}
