import { stat } from 'node:fs/promises'

/** Tells how many bytes a file has; undefined where there is none. */
export const sizeOf = (path: string): Promise<number | undefined> =>
  stat(path).then(
    ({ size }) => size,
    () => undefined,
  )
