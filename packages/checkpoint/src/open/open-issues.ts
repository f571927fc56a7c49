import { defineIssues, failure, quoted, shortened, usage } from '@mk/errors'

/** The text of a reference, where it can be read as one path as well. */
export interface WholePath {
  readonly path: string
  /** Whether there is such a folder or file. */
  readonly isThere: boolean
}

type NotFound = {
  readonly path: string
  /** What is there and has nearly this name. */
  readonly near?: string
  /** 'file:line:column' of what names it. */
  readonly where?: string
  /** Folders and files that were looked for. */
  readonly tried: readonly string[]
  readonly meant?: WholePath | undefined
}

/** Says how a path is written that has '+' or '@' in it. */
export const sayWhole = ({ path, isThere }: WholePath): string =>
  `${isThere ? `there is ${shortened(path)}; ` : ''}a path that has '+' or '@' in it is written {model: {path: ${quoted(path)}}}`

const ifMeant = (meant: WholePath | undefined): string => (meant === undefined ? '' : `; ${sayWhole(meant)}`)

/** Declares what can be wrong with a model as a reference names it. */
export const openIssues = defineIssues({
  'folder-not-found': usage<NotFound>(
    ({ path, where, near, tried, meant }) =>
      `${at(where)}${path}: there is no such folder or file${ifNear(near)}; looked for ${listed(tried)}${ifMeant(meant)}`,
  ),
  'model-not-found': usage<NotFound & { readonly reason: string }>(
    ({ path, where, near, tried, reason, meant }) =>
      `${at(where)}${path}: there is no such folder${ifNear(near)} (looked for ${listed(tried)}), and it can't be had as a model of the hub: ${reason}${ifMeant(meant)}`,
  ),
  'model-unreachable': failure<NotFound & { readonly reason: string }>(
    ({ path, where, near, tried, reason, meant }) =>
      `${at(where)}${path}: there is no such folder${ifNear(near)} (looked for ${listed(tried)}), and the hub can't be asked for a model of this name: ${reason}${ifMeant(meant)}`,
  ),
  'unreadable-model': failure<{ readonly file: string; readonly reason: string }>(
    ({ file, reason }) => `${file}: cannot be read: ${reason}`,
  ),
  'disguised-file': usage<{ readonly file: string; readonly found: string }>(({ file, found }) => `${file} ${found}`),
  'config-missing': usage<{ readonly folder: string; readonly isAdapter: boolean }>(({ folder, isAdapter }) =>
    isAdapter
      ? `${folder} is an adapter, not a model; expected a model's folder, with the adapter after a plus sign (model+adapter)`
      : `${folder} has no config.json; expected a model's folder, or the path of a .safetensors file to merge tensors that have none`,
  ),
  'config-json': usage<{ readonly file: string; readonly reason: string }>(({ file, reason }) =>
    // What a file is instead says itself what helps.
    reason.startsWith('is ') ? `${file} ${reason}` : `${file}: ${reason}; expected a JSON object`,
  ),
  'no-weights': usage<{ readonly folder: string; readonly found: readonly string[] }>(
    ({ folder, found }) =>
      `${folder} has no weights; expected model.safetensors, shards with an index, pytorch_model.bin or a GGUF, found ${listed(found)}`,
  ),
  'shard-missing': usage<{ readonly folder: string; readonly shard: string; readonly listedBy: string }>(
    ({ folder, shard, listedBy }) =>
      `${folder} lacks ${shortened(shard)}, which ${listedBy} names; is the download or copy complete?`,
  ),
  'index-tensor-missing': usage<{ readonly index: string; readonly tensor: string; readonly shard: string }>(
    ({ index, tensor, shard }) =>
      `${index} places tensor ${quoted(tensor)} in ${shortened(shard)}, which does not have it; do the files belong together?`,
  ),
  'tensor-twice': usage<{ readonly tensor: string; readonly file: string; readonly other: string }>(
    ({ tensor, file, other }) =>
      `tensor ${quoted(tensor)} is in both ${other} and ${file}; remove the file that does not belong to the model, or name the one that is meant`,
  ),
})

const at = (where: string | undefined): string => (where === undefined ? '' : `${where}: `)

const ifNear = (near: string | undefined): string => (near === undefined ? '' : `; did you mean ${shortened(near)}?`)

const listed = (items: readonly string[]): string =>
  items.length === 0
    ? 'nothing'
    : items
        .slice(0, 8)
        .map((item) => shortened(item))
        .join(', ') + (items.length > 8 ? ', …' : '')
