import { startBin } from './run-bin.ts'

const hooks = `
import { writeSync } from 'node:fs'
export async function load(url, context, next) {
  writeSync(2, 'loaded ' + url + '\\n')
  return next(url, context)
}`
const dataUrl = (source: string) => `data:text/javascript,${encodeURIComponent(source)}`
const preload = dataUrl(`
import fs from 'node:fs'
import { register } from 'node:module'
import { pathToFileURL } from 'node:url'
const { readFileSync } = fs
// The chunks of a bundle are no modules of Node's.
fs.readFileSync = (path, ...rest) => {
  if (/[/\\\\]bundle[/\\\\][^/\\\\]+\\.cjs$/.test(path)) fs.writeSync(2, 'loaded ' + pathToFileURL(path) + '\\n')
  return readFileSync(path, ...rest)
}
register(${JSON.stringify(dataUrl(hooks))})`)

/** Lists the URLs of the modules and of the chunks of its bundle that a command loads. */
export async function loadedModules(bin: URL, args: readonly string[]): Promise<string[]> {
  const { stderr } = await startBin(bin, args, { env: { NODE_OPTIONS: `--import=${preload}` } })
  return [...stderr.matchAll(/^loaded (.*)$/gm)].map(([, url]) => url!)
}
