/**
 * @typedef {object} Area sources that are mutated together
 * @property {string} name
 * @property {readonly string[]} folders of the sources
 * @property {readonly string[]} [tests] files of tests that have to notice, too, beside those of the sources
 * @property {readonly string[]} packages that these are of
 */

const ofPackage = (name) => ({ name, folders: [`packages/${name}/src`], packages: [name] })

/** @returns {Area} rooms of a package that has more of them, and tests of its other rooms that use these */
const roomsOfMerge = (name, rooms, tests) => ({
  name,
  folders: rooms.map((room) => `packages/merge/src/${room}`),
  tests: tests.map((test) => `packages/merge/src/${test}.test.ts`),
  packages: ['merge'],
})

/** @type {readonly Area[]} */
export const areas = [
  ...['params', 'config', 'safetensors', 'tensor', 'methods', 'inspect'].map(ofPackage),
  // What a plan is for shows where it is carried out.
  roomsOfMerge(
    'planning',
    ['plan', 'open', 'prepare'],
    [
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
    ],
  ),
  roomsOfMerge(
    'running',
    ['run', 'memory'],
    [
      'adapter/peft',
      'adapter/weights-by-norm',
      'node/merge',
      'node/run-merge',
      'parts/stream-inputs',
      'plan/plan-gguf',
    ],
  ),
  roomsOfMerge('adapters', ['adapter'], ['node/run-merge', 'run/memory', 'run/weights-by-norm']),
  roomsOfMerge(
    'output',
    ['output'],
    ['node/keep-stages', 'node/merge', 'node/output-writer.isolated', 'node/run-merge', 'parts/parts', 'stages/faults'],
  ),
  roomsOfMerge('parts', ['parts'], ['adapter/parameter-files', 'adapter/peft', 'node/run-merge', 'stages/stages']),
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
