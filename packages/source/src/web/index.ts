// Files of a browser: those that the user chose, bytes in memory, and files of servers, by ranges.
export { createFileMap } from './file-map.ts'
export type { FileMap, MappedFile, RemoteRangeFile } from './mapped-file.ts'
export type { WindowLimits } from './read-windows.ts'
