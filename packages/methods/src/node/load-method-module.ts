import { existsSync, statSync } from 'node:fs'
import { Module } from 'node:module'
import { isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { quoted } from '@mk/errors'
import { builtinMethods, type MethodDefinition, MethodError } from '../index.ts'
import { whyNoMethod } from './why-no-method.ts'
import { hashModule } from './hash-module.ts'
import { isMissingOwnPackage, provideOwnPackages } from './own-packages.ts'

/**
 * Imports the one merge method that a module exports as `default`, as `method`, or as its only method.
 * @param module path of an .mjs or .js file, `file:` URL, or the name of an installed package
 * @param relativeTo folder that relative paths start from and that packages are looked up from
 * @throws MethodError `module-not-found`, `module-failed`, `not-a-method`, `name-taken`
 */
export async function loadMethodModule(module: string, relativeTo: string = process.cwd()): Promise<MethodDefinition> {
  const { exported, ...origin } = await importModule(module, relativeTo)
  const preferred = exported['default'] ?? exported['method']
  if (preferred !== undefined) return checked(preferred, module, origin)
  const methods = methodsAmong(exported)
  if (methods.length === 1) return checked(methods[0], module, origin)
  const names = Object.keys(exported).join(', ') || 'nothing'
  throw new MethodError({
    code: 'not-a-method',
    module,
    problem: `it exports ${names}, of which ${methods.length} are merge methods`,
  })
}

/**
 * Imports all merge methods that a module exports, whatever their names.
 * @see loadMethodModule
 */
export async function loadMethodsOfModule(
  module: string,
  relativeTo: string = process.cwd(),
): Promise<MethodDefinition[]> {
  const { exported, ...origin } = await importModule(module, relativeTo)
  const preferred = [exported['default'], exported['method']].filter((value) => value !== undefined)
  const methods = [...new Set([...preferred, ...methodsAmong(exported)])]
  if (methods.length === 0)
    throw new MethodError({ code: 'not-a-method', module, problem: 'it exports no merge method' })
  return methods.map((method) => checked(method, module, origin))
}

type Exports = Readonly<Record<string, unknown>>

const methodsAmong = (exported: Exports): unknown[] =>
  Object.values(exported).filter((value) => whyNoMethod(value) === undefined)

type Origin = Required<Pick<MethodDefinition, 'file' | 'code'>>

function checked(value: unknown, module: string, origin: Origin): MethodDefinition {
  const problem = whyNoMethod(value)
  if (problem !== undefined) throw new MethodError({ code: 'not-a-method', module, problem })
  const method = value as MethodDefinition
  if (builtinMethods.has(method.name)) throw new MethodError({ code: 'name-taken', module, method: method.name })
  // What a module doesn't say of itself may be so.
  const draws = method.draws?.bind(method) ?? (() => true)
  return { ...method, merge: method.merge.bind(method), draws, ...origin }
}

async function importModule(module: string, relativeTo: string): Promise<Origin & { readonly exported: Exports }> {
  const path = findModule(module, relativeTo)
  const url = pathToFileURL(path).href
  try {
    // Read before it runs: what is edited meanwhile counts as edited.
    const code = hashModule(path)
    const exported = await importUrl(url).catch((error: unknown) => {
      if (!isMissingOwnPackage(error) || !provideOwnPackages()) throw error
      // another URL, since the failure is remembered
      return importUrl(`${url}?own-packages`)
    })
    return { exported, file: path, code }
  } catch (error) {
    throw new MethodError({ code: 'module-failed', module, problem: explain(error) }, { cause: error })
  }
}

/** What the user names when it runs is nothing that a bundler could follow. */
const importUrl = (url: string): Promise<Exports> =>
  import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ url)

function findModule(module: string, relativeTo: string): string {
  const path = module.startsWith('file:') ? fileURLToPath(module) : resolve(relativeTo, module)
  if (existsSync(path) && statSync(path).isFile()) return path
  if (!/^\.|^file:|\.[cm]?[jt]s$/.test(module) && !isAbsolute(module)) {
    try {
      // Under this name bundlers leave it as it is.
      return Module.createRequire(join(resolve(relativeTo), 'config')).resolve(module)
    } catch {
      // reported below, as the file that it may have been meant to be
    }
  }
  throw new MethodError({ code: 'module-not-found', module, path })
}

/** A syntax error says where it is in its stack only. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return `it threw ${typeof error === 'object' ? quoted(error) : String(error)}`
  const [firstLine] = (error.stack ?? '').split('\n')
  return error instanceof SyntaxError && firstLine?.startsWith('file:')
    ? `${firstLine}: ${error.message}`
    : error.message
}
