import { readFile } from 'node:fs/promises'

/** The program that merges, as its outputs name it. */
export interface Program {
  readonly version: string
  /** Where it can be had; absent as long as its manifest names no place. */
  readonly homepage?: string
}

/** Reads version and home page from this package's manifest. */
export async function readProgram(): Promise<Program> {
  const manifest = await readFile(new URL('../package.json', import.meta.url), 'utf8')
  const { version, homepage } = JSON.parse(manifest) as Program
  return { version, ...(homepage !== undefined && { homepage }) }
}
