import { defineIssues, quoted, shortened, usage } from '@mk/errors'

/** Declares what can be wrong with files that are named instead of a model's folder. */
export const rawIssues = defineIssues({
  'raw-kind': usage<{ readonly path: string }>(
    ({ path }) => `${path} is no file of tensors; expected .safetensors, .bin, .pt, .pth, .ckpt or an .index.json`,
  ),
  'raw-empty': usage<{ readonly folder: string }>(
    ({ folder }) =>
      `${folder} has no config.json and no files of tensors; expected a model folder, or one with .safetensors files`,
  ),
  'raw-overlap': usage<{ readonly tensor: string; readonly file: string; readonly other: string }>(
    ({ tensor, file, other }) =>
      `tensor ${quoted(tensor)} is in both ${other} and ${file}; name the one file that is meant`,
  ),
  'raw-shard-missing': usage<{ readonly file: string; readonly shard: string }>(
    ({ file, shard }) => `${file} is part of a set, but ${shortened(shard)} is missing`,
  ),
  'raw-index-missing': usage<{ readonly index: string; readonly tensor: string; readonly shard: string }>(
    ({ index, tensor, shard }) => `${index} says that tensor ${quoted(tensor)} is in ${shortened(shard)}, but it isn't`,
  ),
})
