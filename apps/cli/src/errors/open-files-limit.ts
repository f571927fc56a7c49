/** Loading the program opens about half as many at once. */
const expectedFiles = 256

/**
 * Says that the program's own files could not be loaded since the limit on open files is too low; undefined where that is not why.
 * Node's loader takes a package for missing whose files it can't open.
 */
export function explainFewFiles(error: Error, limit: () => number | undefined = softLimit): string | undefined {
  if (!('code' in error) || (error.code !== 'ERR_MODULE_NOT_FOUND' && error.code !== 'EMFILE')) return undefined
  const files = limit()
  if (files === undefined || files >= expectedFiles) return undefined
  return `the limit on open files is ${files}, too low to load the program; expected at least ${expectedFiles} (ulimit -n ${expectedFiles})`
}

/** Undefined where the system has none, or none is set. */
function softLimit(): number | undefined {
  const { userLimits } = process.report.getReport() as { readonly userLimits?: Record<string, { soft: unknown }> }
  const soft = Number(userLimits?.['open_files']?.soft)
  return Number.isFinite(soft) ? soft : undefined
}
