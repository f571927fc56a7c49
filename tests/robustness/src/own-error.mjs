/** Classes that no package of this repository throws on purpose. */
const foreign = new Set([
  'Error',
  'TypeError',
  'RangeError',
  'SyntaxError',
  'ReferenceError',
  'URIError',
  'EvalError',
  'AggregateError',
])

/** The longest message that a person still reads. */
const maxMessageCharacters = 4000

/**
 * What is wrong with an error that a package has thrown, as opposed to its being thrown.
 * @param {unknown} error
 * @returns {string | undefined}
 */
export function faultOfError(error) {
  if (!(error instanceof Error)) return `threw a ${typeof error}`
  const { name, message, code } = error
  const isOwn = !foreign.has(name) && typeof code === 'string' && /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(code)
  if (!isOwn) return `foreign ${name}${code === undefined ? '' : ` ${code}`}: ${message.slice(0, 160)}`
  if (message.length > maxMessageCharacters) return `${name} ${code}: a message of ${message.length} characters`
  if (hasControlCharacters(message)) return `${name} ${code}: control characters in the message`
  return undefined
}

// oxlint-disable-next-line no-control-regex -- they are what is looked for
const hasControlCharacters = (text) => /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(text)
