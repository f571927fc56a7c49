import { defineIssues, quoted, usage } from '@mk/errors'

type OfFile = {
  readonly file: string
}

type OfEntry = OfFile & {
  readonly entry: string
}

/** Declares what can be wrong with the zip file around a pickle. Bytes are positions in `file`. */
export const zipIssues = defineIssues({
  'zip-directory': usage<OfFile & { readonly problem: string }>(
    ({ file, problem }) =>
      `${file}: the zip directory can't be read: ${problem}; the download or copy may be incomplete`,
  ),
  'zip-compressed': usage<OfEntry & { readonly method: number }>(
    ({ file, entry, method }) =>
      `${file}: zip entry ${quoted(entry)} is compressed (method ${method}); expected stored entries, as torch.save writes them`,
  ),
  'zip-encrypted': usage<OfEntry>(
    ({ file, entry }) =>
      `${file}: zip entry ${quoted(entry)} is encrypted; expected stored entries, as torch.save writes them`,
  ),
  'zip-outside': usage<OfEntry & { readonly byteEnd: number; readonly limit: number }>(
    ({ file, entry, byteEnd, limit }) =>
      `${file}: zip entry ${quoted(entry)} reaches to byte ${byteEnd}; expected at most ${limit}`,
  ),
  'zip-overlap': usage<OfEntry & { readonly other: string }>(
    ({ file, entry, other }) => `${file}: zip entries ${quoted(other)} and ${quoted(entry)} overlap`,
  ),
  'zip-duplicate': usage<OfEntry>(({ file, entry }) => `${file}: zip entry ${quoted(entry)} occurs twice`),
  'zip-missing': usage<OfEntry>(
    ({ file, entry }) => `${file}: zip entry ${quoted(entry)} is missing; expected a file written by torch.save`,
  ),
})
