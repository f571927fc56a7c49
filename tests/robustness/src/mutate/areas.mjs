/**
 * @typedef {object} Area sources that are mutated together
 * @property {string} name
 * @property {readonly string[]} folders of the sources
 * @property {readonly string[]} [tests] files of tests that have to notice, too, beside those of the sources
 * @property {readonly string[]} packages that these are of
 */

const ofPackage = (name) => ({ name, folders: [`packages/${name}/src`], packages: [name] })

/** @type {readonly Area[]} */
export const areas = [
  ...['params', 'config', 'safetensors', 'tensor', 'methods'].map(ofPackage),
  {
    name: 'planning',
    folders: ['plan', 'open', 'prepare'].map((room) => `packages/merge/src/${room}`),
    // What a plan is for shows where it is carried out.
    tests: [
      'adapter/edges',
      'fill/prepare-fill',
      'node/merge',
      'node/run-merge',
      'parts/plan-file',
      'recipe',
      'run/families',
      'run/gguf',
      'run/gguf-inputs',
      'run/gguf-like',
      'run/matrices',
      'run/mean-rows',
      'run/methods-by-filter',
      'run/quantized',
      'run/weights-by-norm',
      'stages/faults',
      'stages/stages',
    ].map((name) => `packages/merge/src/${name}.test.ts`),
    packages: ['merge'],
  },
  {
    name: 'reading',
    folders: ['checkpoint', 'source'].map((name) => `packages/${name}/src`),
    packages: ['checkpoint', 'source'],
  },
]

/** What is not mutated, and why. */
const leftOut = [
  { path: /\.test\.ts$/, reason: 'tests' },
  { path: /\/(__fixtures__|fixtures)\//, reason: 'what tests are made of' },
  { path: /^packages\/tensor\/src\/conformance\//, reason: 'a test suite, which the tests of each runtime run' },
  { path: /\/index\.ts$/, reason: 'names of exports' },
]

/** @param {string} file relative to the root, with slashes */
export const isMutated = (file) => file.endsWith('.ts') && !leftOut.some(({ path }) => path.test(file))
