/** What can be wrong with a model as a reference names it. */
export type OpenIssue =
  | { readonly code: 'folder-not-found'; readonly path: string; readonly tried: readonly string[] }
  | {
      readonly code: 'model-not-found'
      readonly path: string
      readonly tried: readonly string[]
      readonly reason: string
    }
  | { readonly code: 'config-missing'; readonly folder: string; readonly isAdapter: boolean }
  | { readonly code: 'config-json'; readonly file: string; readonly reason: string }
  | { readonly code: 'no-weights'; readonly folder: string; readonly found: readonly string[] }
  | { readonly code: 'shard-missing'; readonly folder: string; readonly shard: string; readonly listedBy: string }
  | { readonly code: 'index-tensor-missing'; readonly index: string; readonly tensor: string; readonly shard: string }
  | { readonly code: 'tensor-twice'; readonly tensor: string; readonly file: string; readonly other: string }
  | { readonly code: 'gguf'; readonly path: string }
  | { readonly code: 'quantized'; readonly folder: string; readonly scheme: string; readonly evidence: string }
  | { readonly code: 'scale-missing'; readonly folder: string; readonly tensor: string; readonly scheme: string }
  | {
      readonly code: 'scale-shape'
      readonly folder: string
      readonly scale: string
      readonly scaleShape: readonly number[]
      readonly tensor: string
      readonly shape: readonly number[]
    }

type Messages = { readonly [Code in OpenIssue['code']]: (issue: Extract<OpenIssue, { code: Code }>) => string }

const list = (items: readonly string[]): string =>
  items.length === 0 ? 'nothing' : items.slice(0, 8).join(', ') + (items.length > 8 ? ', …' : '')
const sizes = (shape: readonly number[]): string => `[${shape.join(', ')}]`

export const openMessages: Messages = {
  'folder-not-found': ({ path, tried }) => `${path}: there is no such folder or file; looked for ${list(tried)}`,
  'model-not-found': ({ path, tried, reason }) =>
    `${path}: there is no such folder (looked for ${list(tried)}), and it can't be had as a model of the hub: ${reason}`,
  'config-missing': ({ folder, isAdapter }) =>
    isAdapter
      ? `${folder} is an adapter, not a model; expected a model's folder, with the adapter after a plus sign (model+adapter)`
      : `${folder} has no config.json; expected a model's folder, or the path of a .safetensors file to merge tensors that have none`,
  'config-json': ({ file, reason }) => `${file}: ${reason}; expected a JSON object`,
  'no-weights': ({ folder, found }) =>
    `${folder} has no weights; expected model.safetensors, shards with an index, or pytorch_model.bin, found ${list(found)}`,
  'shard-missing': ({ folder, shard, listedBy }) =>
    `${folder} lacks ${shard}, which ${listedBy} names; is the download or copy complete?`,
  'index-tensor-missing': ({ index, tensor, shard }) =>
    `${index} places tensor '${tensor}' in ${shard}, which does not have it; do the files belong together?`,
  'tensor-twice': ({ tensor, file, other }) =>
    `tensor '${tensor}' is in both ${other} and ${file}; remove the file that does not belong to the model, or name the one that is meant`,
  gguf: ({ path }) =>
    `${path} is a GGUF file, which holds quantized weights for inference; expected the model that it was made from, as safetensors`,
  quantized: ({ folder, scheme, evidence }) =>
    `${folder} is quantized with ${scheme} (${evidence}), which can't be merged; expected the model that it was made from, in float16, bfloat16, float32 or float8`,
  'scale-missing': ({ folder, tensor, scheme }) =>
    `${folder}: config.json says that the weights are ${scheme}, but tensor '${tensor}' has no scale beside it (${tensor}_scale_inv or ${tensor}_scale)`,
  'scale-shape': ({ folder, scale, scaleShape, tensor, shape }) =>
    `${folder}: '${scale}' has the shape ${sizes(scaleShape)}; expected one scale for all of '${tensor}' ${sizes(shape)}, or one per row, column or block`,
}
