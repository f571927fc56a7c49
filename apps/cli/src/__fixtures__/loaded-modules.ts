import { startBin } from './run-bin.ts'

const hooks = `
import { writeSync } from 'node:fs'
export async function load(url, context, next) {
  writeSync(2, 'loaded ' + url + '\\n')
  return next(url, context)
}`
const dataUrl = (source: string) => `data:text/javascript,${encodeURIComponent(source)}`
const preload = dataUrl(`import { register } from 'node:module'; register(${JSON.stringify(dataUrl(hooks))})`)

/** Lists the URLs of the modules that a command loads. */
export async function loadedModules(bin: URL, args: readonly string[]): Promise<string[]> {
  const { stderr } = await startBin(bin, args, { env: { NODE_OPTIONS: `--import=${preload}` } })
  return [...stderr.matchAll(/^loaded (.*)$/gm)].map(([, url]) => url!)
}
