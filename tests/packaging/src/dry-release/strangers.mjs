// Folders of people who know nothing of this repository: an environment without build tools and with no network but the registry,
// installations by several clients, and what they do then.
import { mkdirSync, readdirSync, realpathSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { runCommand } from './steps.mjs'

/** The versions of what is not a dependency of this repository, through npx. */
export const clients = { pnpm: 'pnpm@10.34.9', yarn: '@yarnpkg/cli-dist@4', bun: 'bun@1', deno: 'deno@2' }

/**
 * Makes the environment of a stranger.
 * @param folder for a home, and for a folder with the only programs that are found
 * @param node the program
 */
export async function createEnvironment(folder, registry, node) {
  const [home, bin] = [join(folder, 'home'), join(folder, 'bin')]
  mkdirSync(home, { recursive: true })
  mkdirSync(bin, { recursive: true })
  const npm = placeOf('npm')
  symlinkSync(node, join(bin, 'node'))
  symlinkSync(npm, join(bin, 'npm'))
  symlinkSync(join(npm, '../npx-cli.js'), join(bin, 'npx'))
  // What commands are started with: by npm a shell, and more by the scripts that pnpm and Yarn put in their place.
  for (const name of ['sh', 'sed', 'dirname', 'uname', 'basename']) symlinkSync(placeOf(name), join(bin, name))
  const nowhere = 'http://127.0.0.1:9'
  return {
    PATH: bin,
    HOME: home,
    TMPDIR: process.env.TMPDIR ?? '/tmp',
    CI: '1',
    npm_config_registry: registry,
    npm_config_cache: join(home, 'npm'),
    npm_config_userconfig: join(home, '.npmrc'),
    npm_config_globalconfig: join(home, 'npmrc'),
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
    HTTP_PROXY: nowhere,
    HTTPS_PROXY: nowhere,
    NO_PROXY: '127.0.0.1',
    npm_config_noproxy: '127.0.0.1',
    YARN_NPM_REGISTRY_SERVER: registry,
    YARN_UNSAFE_HTTP_WHITELIST: '127.0.0.1',
    YARN_NODE_LINKER: 'node-modules',
    YARN_ENABLE_TELEMETRY: '0',
    // What was published a moment ago is too young for its taste.
    YARN_NPM_MINIMAL_AGE_GATE: '0',
    YARN_ENABLE_IMMUTABLE_INSTALLS: 'false',
    YARN_ENABLE_GLOBAL_CACHE: 'false',
    DENO_NO_UPDATE_CHECK: '1',
    NPM_CONFIG_REGISTRY: registry,
  }
}

/** The file that a name on the path stands for. */
function placeOf(name) {
  const found = (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((file) => statSync(file, { throwIfNoEntry: false }) !== undefined)
  if (found === undefined) throw new Error(`${name} is not on the path`)
  return realpathSync(found)
}

/** Finds the program of a version of Node, which comes by npm. @returns its file */
export async function fetchNode(version) {
  const output = await runCommand('npx', ['-y', `node@${version}`, '-p', 'process.execPath'], { env: process.env })
  return output.trim().split('\n').at(-1)
}

/** Writes a project that depends on packages of the registry. */
export function writeProject(folder, specifiers, others = {}) {
  mkdirSync(folder, { recursive: true })
  const dependencies = Object.fromEntries(specifiers.map((name) => [name, 'latest']))
  const manifest = {
    name: 'stranger',
    version: '1.0.0',
    private: true,
    type: 'module',
    dependencies: { ...dependencies, ...others },
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest, undefined, 2))
}

/** Adds up what is in a folder of modules: packages by the lock of npm, megabytes on disk, and who has an install script. */
export function measureModules(folder, lock) {
  const packages = Object.entries(lock.packages).filter(([path]) => path.startsWith('node_modules/'))
  const scripted = packages.filter(([, { hasInstallScript }]) => hasInstallScript === true).map(([path]) => path)
  const blocks = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => Math.ceil(statSync(join(entry.parentPath, entry.name)).size / 4096) * 4096)
  return { packages: packages.length, scripted, blocks: blocks.reduce((sum, size) => sum + size, 0) }
}
