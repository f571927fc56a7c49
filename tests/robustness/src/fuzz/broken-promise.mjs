/** What a parser has accepted, or written, and should not have. */
export class BrokenPromise extends Error {
  name = 'BrokenPromise'
}

/** @param {boolean} holds @param {string} promise @throws {BrokenPromise} */
export function promise(holds, text) {
  if (!holds) throw new BrokenPromise(text)
}

/** Whether a text is JSON as Python writes it: NaN and Infinity are numbers. @param {string} text */
export function isPythonJson(text) {
  try {
    JSON.parse(text.replace(/("(?:[^"\\]|\\.)*")|-?\bInfinity\b|\bNaN\b/g, (all, string) => string ?? '0'))
    return true
  } catch {
    return false
  }
}
