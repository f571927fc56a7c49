// Brings what a device needs into this clone and says whether it works: node scripts/devices.mjs cuda|gpu
import { readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { bootstrap, root, run } from './bootstrap.mjs'

const device = process.argv[2]
bootstrap()
if (device === 'cuda') fetchCudaProvider()
const { listRuntimes } = await import('../apps/cli/dist/runtimes/find-runtime.js')
const { available, found, problem } = (await listRuntimes()).find(({ name }) => name === device)
console.log(
  available ? `--device ${device} works${found === undefined ? '' : ` (${found})`}` : `--device ${device}: ${problem}`,
)
process.exitCode = available ? 0 : 1

/** onnxruntime-node comes without the libraries of its CUDA provider; its own script fetches them. */
function fetchCudaProvider() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    console.error('error: ONNX Runtime has a CUDA provider for Linux on x64 alone')
    process.exit(2)
  }
  const folder = realpathSync(join(root, 'node_modules/onnxruntime-node'))
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  console.log(`fetching the CUDA provider of onnxruntime-node ${version}`)
  // By these the script would take a run of `npm run` for an installation of its own sources, and fetch nothing.
  const { npm_config_local_prefix: _, npm_package_json: __, ...outside } = process.env
  const env = { ...outside, ONNXRUNTIME_NODE_INSTALL: 'cuda12' }
  const status = run(process.execPath, [join(folder, 'script/install.js')], { cwd: folder, env })
  if (status !== 0) {
    console.error('error: it could not be fetched; the lines above say why')
    process.exit(1)
  }
}
