const units: Readonly<Record<string, number>> = {
  '': 1,
  K: 1e3,
  M: 1e6,
  G: 1e9,
  B: 1e9,
  T: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
}

/**
 * Parses a size in bytes: `5000000`, `500MB`, `2GiB`, and mergekit's `5B`, which means billion.
 * @returns undefined for anything else
 */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text.trim())
  if (match === null) return undefined
  const unit = match[2]!.toUpperCase()
  const factor = units[unit] ?? units[unit.replace(/B$/, '')]
  const bytes = factor === undefined ? Number.NaN : Math.floor(Number(match[1]) * factor)
  return bytes > 0 ? bytes : undefined
}

/** Formats bytes for a person: `2.2 GB`. */
export function formatBytes(bytes: number): string {
  const names = ['bytes', 'kB', 'MB', 'GB', 'TB']
  const power = bytes < 1000 ? 0 : Math.min(names.length - 1, Math.floor(Math.log10(bytes) / 3))
  const value = bytes / 1000 ** power
  // 9.996 is 10.0, not 10.00.
  return `${power === 0 ? Math.round(value) : value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0)} ${names[power]!}`
}

/** Formats seconds for a person: `0.4 s`, `1 min 12 s`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  const minutes = Math.floor(whole / 60)
  return minutes < 60 ? `${minutes} min ${whole % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
