/** What can be wrong with files that are named instead of a model folder. */
export type RawIssue =
  | { readonly code: 'raw-kind'; readonly path: string }
  | { readonly code: 'raw-empty'; readonly folder: string }
  | { readonly code: 'raw-overlap'; readonly tensor: string; readonly file: string; readonly other: string }
  | { readonly code: 'raw-shard-missing'; readonly file: string; readonly shard: string }
  | { readonly code: 'raw-index-missing'; readonly index: string; readonly tensor: string; readonly shard: string }

type Messages = { readonly [Code in RawIssue['code']]: (issue: Extract<RawIssue, { code: Code }>) => string }

export const rawMessages: Messages = {
  'raw-kind': ({ path }) =>
    `${path} is no file of tensors; expected .safetensors, .bin, .pt, .pth, .ckpt or an .index.json`,
  'raw-empty': ({ folder }) =>
    `${folder} has no config.json and no files of tensors; expected a model folder, or one with .safetensors files`,
  'raw-overlap': ({ tensor, file, other }) =>
    `tensor '${tensor}' is in both ${other} and ${file}; name the one file that is meant`,
  'raw-shard-missing': ({ file, shard }) => `${file} is part of a set, but ${shard} is missing`,
  'raw-index-missing': ({ index, tensor, shard }) =>
    `${index} says that tensor '${tensor}' is in ${shard}, but it isn't`,
}
