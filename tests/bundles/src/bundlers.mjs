import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
const entries = { server: join(here, 'server.mjs'), 'merge-worker': join(here, 'merge-worker.mjs') }
/** What the workspace does not install. */
export const apps = fileURLToPath(new URL('../apps/', import.meta.url))

/** Each writes `server.mjs` and `merge-worker.mjs`, which need no node_modules, into a folder. What each needs is in docs/bundles.md. */
export const bundlers = {
  async esbuild(outdir) {
    const { build } = await import('esbuild')
    await build({
      entryPoints: entries,
      outdir,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      platform: 'node',
      format: 'esm',
      logLevel: 'warning',
      // Of yaml esbuild takes the files for require, which calls it.
      banner: {
        js: "import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url)",
      },
    })
  },

  async vite(outDir) {
    const { build } = await import('vite')
    await build({
      configFile: false,
      root: here,
      logLevel: 'error',
      ssr: { noExternal: true },
      build: {
        ssr: true,
        outDir,
        emptyOutDir: true,
        rolldownOptions: { input: entries, output: { entryFileNames: '[name].mjs' } },
      },
    })
  },

  async webpack(path) {
    const require = createRequire(join(apps, 'package.json'))
    const { default: webpack } = await import(pathToFileURL(require.resolve('webpack')).href)
    const compiler = webpack({
      mode: 'production',
      target: 'node20.19',
      entry: entries,
      output: { path, filename: '[name].mjs', module: true, chunkFormat: 'module' },
      experiments: { outputModule: true },
      optimization: { minimize: false },
      // URLs and workers stay as they are written: the worker is an entry.
      module: { parser: { javascript: { importMeta: false, url: false, worker: false } } },
    })
    const stats = await new Promise((resolve, reject) =>
      compiler.run((error, result) => (error === null ? resolve(result) : reject(error))),
    )
    if (stats.hasErrors()) throw new Error(stats.toString({ all: false, errors: true }))
  },
}
