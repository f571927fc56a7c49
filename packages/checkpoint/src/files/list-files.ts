import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { CheckpointFile } from '../checkpoint.ts'
import { fileRole } from './file-roles.ts'
import { reading } from './read-file.ts'

/** Subfolders with files that an output may need. */
const folders = /^(additional_chat_templates|chat_templates|\d+_(Pooling|Dense|Normalize))$/

/**
 * Lists the small files of a model's folder that an output may copy, as paths inside it, in alphabetical order. Python modules
 * are among them where the model brings code of its own.
 */
export async function listFiles(
  folder: string,
  config: Readonly<Record<string, unknown>> | undefined,
): Promise<readonly CheckpointFile[]> {
  const names = await reading(folder, () => readdir(folder))
  const inFolders = await Promise.all(
    names
      .filter((name) => folders.test(name))
      .map(async (name) => (await readdir(join(folder, name)).catch(() => [])).map((file) => `${name}/${file}`)),
  )
  const hasOwnCode = config?.['auto_map'] !== undefined || names.some((name) => /^tokenization_\w+\.py$/.test(name))
  const files = [...names, ...inFolders.flat()].sort().flatMap((name): CheckpointFile[] => {
    const role = fileRole(name)
    return role === undefined || (role === 'code' && !hasOwnCode) ? [] : [{ name, role }]
  })
  const areFiles = await Promise.all(files.map(({ name }) => isFile(join(folder, name))))
  return files.filter((_, index) => areFiles[index])
}

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
