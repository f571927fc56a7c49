import { listNames } from './list-names.ts'

/** What can go wrong in planning or running a merge, with what a person needs to mend it. */
export type MergeIssue =
  | {
      readonly code: 'unknown-method'
      readonly method: string
      readonly nearest: string | undefined
      readonly where: string
    }
  | {
      readonly code: 'unknown-parameter'
      readonly parameter: string
      readonly nearest: string | undefined
      readonly method: string
      readonly where: string
    }
  | {
      readonly code: 'missing-parameter'
      readonly parameter: string
      readonly method: string
      readonly tensor: string
      readonly model: string | undefined
      readonly hint: string
    }
  | {
      readonly code: 'invalid-parameter'
      readonly parameter: string
      readonly value: unknown
      readonly expected: string
      readonly where: string
    }
  | { readonly code: 'base-required'; readonly method: string; readonly where: string }
  | {
      readonly code: 'model-count'
      readonly method: string
      readonly expected: string
      readonly found: number
      readonly where: string
    }
  | {
      readonly code: 'missing-tensor'
      readonly missing: readonly {
        readonly model: string
        readonly other: string
        readonly tensors: readonly string[]
      }[]
    }
  | {
      readonly code: 'shape-mismatch'
      readonly tensors: readonly { readonly model: string; readonly name: string; readonly shape: readonly number[] }[]
    }
  | {
      readonly code: 'vocabulary-rows'
      readonly model: string
      readonly name: string
      readonly shape: readonly number[]
      readonly rowCount: number
    }
  | {
      readonly code: 'layer-range'
      readonly model: string
      readonly range: readonly [number, number]
      readonly layerCount: number
      readonly where: string
    }
  | { readonly code: 'empty-slice'; readonly range: readonly [number, number]; readonly where: string }
  | {
      readonly code: 'slice-lengths'
      readonly lengths: readonly { readonly model: string; readonly length: number }[]
      readonly where: string
    }
  | {
      readonly code: 'unknown-module'
      readonly module: string
      readonly model?: string
      readonly known: readonly string[]
      readonly where: string
    }
  | {
      readonly code: 'module-twice'
      readonly module: string
      readonly names: readonly string[]
      readonly where: string
    }
  | { readonly code: 'ambiguous-module'; readonly known: readonly string[]; readonly where: string }
  | {
      readonly code: 'mixed-architectures'
      readonly families: readonly { readonly model: string; readonly family: string }[]
    }
  | { readonly code: 'unsupported'; readonly what: string; readonly where: string }
  | { readonly code: 'output-is-input'; readonly folder: string; readonly input: string }
  | { readonly code: 'output-exists'; readonly folder: string; readonly entryCount: number }
  | { readonly code: 'output-unwritable'; readonly folder: string; readonly reason: string }
  | { readonly code: 'output-busy'; readonly folder: string; readonly process: number }
  | { readonly code: 'write-failed'; readonly file: string; readonly reason: string }
  | { readonly code: 'disk-space'; readonly folder: string; readonly neededBytes: number; readonly freeBytes: number }
  | { readonly code: 'worker-failed'; readonly reason: string }
  | { readonly code: 'interrupted'; readonly folder: string }

/** An error of @mk/merge; `code` says which rule was broken. */
export class MergeError extends Error {
  override readonly name = 'MergeError'
  readonly issue: MergeIssue

  constructor(issue: MergeIssue, options?: ErrorOptions) {
    super(describe(issue), options)
    this.issue = issue
  }

  get code(): MergeIssue['code'] {
    return this.issue.code
  }
}

const didYouMean = (nearest: string | undefined) => (nearest === undefined ? '' : `; did you mean '${nearest}'?`)
const shapeText = (shape: readonly number[]) => `[${shape.join(', ')}]`

function describe(issue: MergeIssue): string {
  switch (issue.code) {
    case 'unknown-method':
      return `${issue.where}: there is no merge method '${issue.method}'${didYouMean(issue.nearest)} (--list-methods prints them all)`
    case 'unknown-parameter':
      return `${issue.where}: no merge method has a parameter '${issue.parameter}'${didYouMean(issue.nearest)}`
    case 'missing-parameter':
      return `${issue.method} needs '${issue.parameter}' for ${issue.model === undefined ? '' : `model ${issue.model}, `}tensor ${issue.tensor}: ${issue.hint}`
    case 'invalid-parameter':
      return `${issue.where}: '${issue.parameter}' is ${JSON.stringify(issue.value)}, expected ${issue.expected}`
    case 'base-required':
      return `${issue.where}: ${issue.method} needs a base_model`
    case 'model-count':
      return `${issue.where}: ${issue.method} takes ${issue.expected}, found ${issue.found}`
    case 'missing-tensor':
      return issue.missing
        .map(({ model, other, tensors }) => `${model} lacks ${listNames(tensors)}, which ${other} has`)
        .join('; ')
    case 'shape-mismatch':
      return `shapes differ: ${issue.tensors.map(({ model, name, shape }) => `${name} of ${model} is ${shapeText(shape)}`).join(', ')}`
    case 'vocabulary-rows':
      return `a tokenizer setting needs an embedding and a head with a row per token, but ${issue.name} of ${issue.model} is ${shapeText(issue.shape)} where its embedding has ${issue.rowCount} rows`
    case 'layer-range':
      return `${issue.where}: layer_range [${issue.range.join(', ')}] goes past the end: ${issue.model} has ${issue.layerCount} layers${issue.layerCount > 0 ? ` (0 to ${issue.layerCount - 1}; the end is exclusive)` : ''}`
    case 'empty-slice':
      return `${issue.where}: layer_range is [${issue.range.join(', ')}], which holds no layer; that is of use only in the first or the last of several slices, for the tensors before or after the layers`
    case 'slice-lengths':
      return `${issue.where}: the sources of a slice must have equally many layers, found ${issue.lengths.map(({ model, length }) => `${length} of ${model}`).join(', ')}`
    case 'unknown-module':
      return `${issue.where}: ${issue.model === undefined ? 'the models have' : `${issue.model} has`} no module '${issue.module}', only ${issue.known.map((name) => `'${name}'`).join(', ')}`
    case 'module-twice':
      return `${issue.where}: ${issue.names.map((name) => `'${name}'`).join(' and ')} are the same module, '${issue.module}'; name it once`
    case 'ambiguous-module':
      return `${issue.where}: the models have several stacks of layers, so slices must be given per module: write 'modules:' with ${issue.known.map((name) => `'${name}'`).join(', ')}`
    case 'mixed-architectures':
      return `the models are of different architectures: ${issue.families.map(({ model, family }) => `${model} is ${family}`).join(', ')} (--allow-crimes merges them all the same)`
    case 'unsupported':
      return `${issue.where}: ${issue.what}`
    case 'output-is-input':
      return `${issue.folder} would be written over, or into, the input ${issue.input}; give another folder`
    case 'output-exists':
      return `${issue.folder} has files in it (${issue.entryCount}); give another folder, or --overwrite to replace it`
    case 'output-unwritable':
      return `can't write to ${issue.folder}: ${issue.reason}`
    case 'output-busy':
      return `process ${issue.process} is writing to ${issue.folder}; wait for it or end it (if it is no merge, delete that folder)`
    case 'write-failed':
      return `can't write ${issue.file}: ${issue.reason}`
    case 'disk-space':
      return `${issue.folder}: the output needs ${issue.neededBytes} bytes, but only ${issue.freeBytes} are free`
    case 'worker-failed':
      return `a worker thread failed: ${issue.reason}`
    case 'interrupted':
      return `interrupted; the same command goes on from ${issue.folder}, deleting that folder starts over`
    default:
      return issue satisfies never
  }
}
