import { adapters } from './adapters.mjs'
import { architectures } from './architectures.mjs'
import { commandLine } from './command-line.mjs'
import { configJson } from './config-json.mjs'
import { ggufHeader } from './gguf-header.mjs'
import { hubAnswers } from './hub.mjs'
import { methods } from './methods.mjs'
import { paths } from './paths.mjs'
import { planFiles } from './plan-files.mjs'
import { quantizedModels } from './quantized-models.mjs'
import { recipePlan, recipeText } from './recipes.mjs'
import { safetensorsHeader } from './safetensors-header.mjs'
import { safetensorsIndex } from './safetensors-index.mjs'
import { chatTemplates, tokenizerFiles, tokenizerJson } from './tokenizers.mjs'
import { torchOpcodes, torchPickle, zip } from './torch.mjs'

/**
 * @typedef {object} FuzzTarget a parser, and how inputs for it are made
 * @property {string} name
 * @property {string} extension of files that hold an input
 * @property {(places: { folder: string, outside: string }) => Promise<OpenTarget>} open `folder`: where it may write; `outside`: where not
 *
 * @typedef {object} OpenTarget
 * @property {(random: import('../../random.mjs').Random) => Buffer | string} make an input
 * @property {(input: Buffer) => unknown} check accepts an input, or throws
 * @property {() => Promise<unknown>} [close]
 */

/** @type {ReadonlyMap<string, FuzzTarget>} */
export const targets = new Map(
  [
    safetensorsHeader,
    safetensorsIndex,
    ggufHeader,
    torchPickle,
    torchOpcodes,
    zip,
    configJson,
    tokenizerJson,
    tokenizerFiles,
    chatTemplates,
    recipeText,
    recipePlan,
    planFiles,
    adapters,
    quantizedModels,
    architectures,
    methods,
    hubAnswers,
    paths,
    commandLine,
  ].map((target) => [target.name, target]),
)
