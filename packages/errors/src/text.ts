const longest = 120

/** Cuts a text from an input to what a message can bear, and shows control characters escaped. */
export function shortened(text: string, limit = longest): string {
  const cut = text.length > limit ? `${text.slice(0, limit)}… (${text.length} characters)` : text
  // oxlint-disable-next-line no-control-regex -- these are what must not reach a terminal
  return cut.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (character) => {
    const hex = character.charCodeAt(0).toString(16).padStart(4, '0')
    return `\\u${hex}`
  })
}

/** Quotes a value from an input for a message: as JSON where that is possible, never longer than a message can bear. */
export function quoted(value: unknown, limit = longest): string {
  if (typeof value === 'string') return `'${shortened(value, limit)}'`
  return shortened(json(value), limit)
}

function json(value: unknown): string {
  if (typeof value === 'number') return String(value)
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    return String(value)
  }
}
