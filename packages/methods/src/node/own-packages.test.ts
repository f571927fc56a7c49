import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'
import { fallbackHooks, isMissingOwnPackage } from './own-packages.ts'

it('a module gets our packages where its own folder has none, and nothing else', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mk-own-packages-'))
  const write = (name: string, text: string): string => {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
    return pathToFileURL(join(folder, name)).href
  }
  write('ours/package.json', '{ "name": "@mk/methods", "type": "module", "exports": "./main.js" }')
  const ours = write('ours/main.js', 'export const origin = "ours"')
  write('ours/node_modules/zod/package.json', '{ "type": "module", "exports": "./main.js" }')
  write('ours/node_modules/zod/main.js', 'export const z = "of ours"')
  const good = write('good.mjs', 'export { origin } from "@mk/methods"; export { z } from "zod"')
  const bad = write('bad.mjs', 'export { origin } from "elsewhere"')
  const main = write(
    'main.mjs',
    `import { register } from 'node:module'
    const failure = await import('${good}').catch((error) => error)
    register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(fallbackHooks(ours))}`)})
    const { origin, z } = await import('${good}?own-packages')
    const other = await import('${bad}').catch((error) => error)
    console.log(JSON.stringify([failure.code, failure.message, origin, z, other.code]))`,
  )
  try {
    const [code, message, origin, z, other] = JSON.parse(
      execFileSync(process.execPath, [new URL(main).pathname], { encoding: 'utf8' }),
    ) as string[]
    expect([code, origin, z, other]).toEqual(['ERR_MODULE_NOT_FOUND', 'ours', 'of ours', 'ERR_MODULE_NOT_FOUND'])
    expect(isMissingOwnPackage(Object.assign(new Error(message), { code }))).toBe(true)
    expect(isMissingOwnPackage(Object.assign(new Error("Cannot find package 'elsewhere'"), { code }))).toBe(false)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

it.each(['@mk/methods', '@mk/tensor', 'zod', 'zod/mini'])(
  'knows that %s is missing by the error of the import',
  (name) => {
    const missing = (code: string, text: string) => Object.assign(new Error(text), { code })
    const message = `Cannot find package '${name}' imported from /x.mjs`
    expect(isMissingOwnPackage(missing('ERR_MODULE_NOT_FOUND', message))).toBe(true)
    expect(isMissingOwnPackage(missing('ERR_UNSUPPORTED_DIR_IMPORT', message))).toBe(false)
    expect(isMissingOwnPackage(missing('ERR_MODULE_NOT_FOUND', `Cannot find package '${name}s'`))).toBe(false)
    expect(isMissingOwnPackage(new Error(message))).toBe(false)
    expect(isMissingOwnPackage({ code: 'ERR_MODULE_NOT_FOUND', message })).toBe(false)
    expect(isMissingOwnPackage(undefined)).toBe(false)
  },
)
