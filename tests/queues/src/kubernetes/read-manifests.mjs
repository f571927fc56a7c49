import { readdirSync, readFileSync } from 'node:fs'
import { parseAllDocuments } from 'yaml'

const folder = new URL('../../../../examples/kubernetes/', import.meta.url)

/** Reads the manifests of examples/kubernetes: each object with the file that it stands in. */
export const readManifests = () =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.yml'))
    .flatMap((file) =>
      parseAllDocuments(readFileSync(new URL(file, folder), 'utf8')).map((document) => ({
        file,
        object: document.toJS(),
      })),
    )
