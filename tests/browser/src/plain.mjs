/** Makes values that JSON has no form for comparable: maps, typed arrays, numbers that are not finite. */
export function plain(value) {
  if (typeof value === 'number')
    return Number.isFinite(value) && !Object.is(value, -0) ? value : `number ${Object.is(value, -0) ? '-0' : value}`
  if (typeof value === 'bigint') return `bigint ${value}`
  if (typeof value !== 'object' || value === null) return value ?? null
  if (value instanceof Map) return { map: plain([...value]) }
  if (value instanceof Set) return { set: plain([...value]) }
  if (ArrayBuffer.isView(value)) return { [value.constructor.name]: Array.from(value, plain) }
  if (Array.isArray(value)) return value.map(plain)
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
}
