/** Runs the command that a bin is for. @param bin the path of the bin: bin/NAME.cjs of a package with dist/bins/NAME.js */
export function start(bin: string): Promise<void>
/** What a bundle in a clone was made of: a list of files with their states. */
export const recordName: string
/** Tells whether there is a bundle in the folder, and of the modules that are there. @param bundle the path of the folder */
export function isCurrent(bundle: string): boolean
/** Gives the state of a file: where it is equal the bytes are, as far as can be told without reading. */
export function stateOf(stats: { readonly size: number; readonly mtimeMs: number }): string
