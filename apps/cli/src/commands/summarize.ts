const shownWarnings = 3

/** Shortens a list of warnings that are alike. @param all whether none is left out */
export function summarize(warnings: readonly string[], all: boolean): string[] {
  if (all || warnings.length <= shownWarnings) return [...warnings]
  return [...warnings.slice(0, shownWarnings), `and ${warnings.length - shownWarnings} more like these (-v shows all)`]
}
