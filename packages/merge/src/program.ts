import { manifest } from './manifest.ts'

/** The program that merges, as its outputs name it. */
export interface Program {
  readonly version: string
  /** Where it can be had; absent as long as its manifest names no place. */
  readonly homepage?: string
}

/** Version and home page of this package. */
export const program: Program = manifest
