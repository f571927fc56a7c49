import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const source = fileURLToPath(new URL('../shim/fault-shim.c', import.meta.url))

/**
 * Builds the library that makes file operations fail.
 * @param {string} folder where to put it
 * @returns {{ library: string } | { missing: string }}
 */
export function buildShim(folder) {
  if (process.platform !== 'linux') return { missing: 'the shim is for Linux' }
  const library = join(folder, 'fault-shim.so')
  for (const compiler of ['cc', 'gcc', 'clang']) {
    const { status, error } = spawnSync(compiler, [
      '-shared',
      '-fPIC',
      '-O2',
      '-o',
      library,
      source,
      '-ldl',
      '-lpthread',
    ])
    if (error === undefined && status === 0) return { library }
  }
  return { missing: 'there is no C compiler' }
}

/**
 * The environment that gives a program to the shim.
 * @param {{ library: string, path: string, fault?: string, log?: string }} options `path`: only operations on paths that have it in them
 */
export const shimEnvironment = ({ library, path, fault = '', log }) => ({
  LD_PRELOAD: library,
  FAULT: fault,
  FAULT_PATH: path,
  UV_USE_IO_URING: '0',
  ...(log !== undefined && { FAULT_LOG: log }),
})
