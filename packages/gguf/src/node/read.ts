import { rangesOf, withFile } from '@mk/safetensors/node'
import { type GgufFileHeader, readGgufHeaderOf } from '../read-header.ts'

/**
 * Reads and checks the header of a file; of its tensors nothing is read but what lies in the same pages.
 * @throws GgufError with one code per broken rule; SafetensorsError `not-a-file`; or what the operating system says (ENOENT, …).
 */
export const readGgufHeader = (path: string): Promise<GgufFileHeader> =>
  withFile(path, async (handle) => readGgufHeaderOf(rangesOf(handle), path))
