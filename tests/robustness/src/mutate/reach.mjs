import { parseSync } from 'oxc-parser'

/**
 * @typedef {object} Body a function of a source
 * @property {number} id
 * @property {number} start
 * @property {number} end
 */

/** The lines of a test's set-up that keep which functions its file calls, and which run while its imports are loaded. */
export const recorder = `
import { appendFileSync } from 'node:fs'
import { beforeAll, expect } from 'vitest'
if (process.env.MK_REACH) {
  const loading = new Set()
  const running = new Set()
  let reached = loading
  globalThis.mkReach = (id) => reached.add(id)
  beforeAll(() => {
    reached = running
  })
  afterAll(() => {
    if (loading.size + running.size === 0) return
    const file = expect.getState().testPath
    appendFileSync(process.env.MK_REACH, JSON.stringify({ file, loading: [...loading], running: [...running] }) + '\\n')
  })
}
`

/**
 * Puts a call into each function of a source that tells that it is entered.
 * @param {string} file @param {string} source @param {number} firstId
 * @returns {{ text: string, bodies: Body[] }}
 */
export function addProbes(file, source, firstId) {
  const { program } = parseSync(file, source)
  /** @type {Body[]} */
  const bodies = []
  /** @type {{ at: number, text: string }[]} */
  const insertions = []
  visit(program)
  const text = insertions
    .toSorted((a, b) => b.at - a.at)
    .reduce((changed, { at, text: added }) => changed.slice(0, at) + added + changed.slice(at), source)
  return { text, bodies }

  function visit(node) {
    const { type, body } = node
    if (/^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(type) && body) {
      const id = firstId + bodies.length
      bodies.push({ id, start: node.start, end: node.end })
      const call = `globalThis.mkReach?.(${id})`
      if (body.type === 'BlockStatement' || body.type === 'FunctionBody')
        insertions.push({ at: body.start + 1, text: `${call};` })
      else insertions.push({ at: body.start, text: `(${call},(` }, { at: body.end, text: '))' })
    }
    for (const child of Object.values(node))
      for (const one of Array.isArray(child) ? child : [child]) if (typeof one?.type === 'string') visit(one)
  }
}

/** The innermost function around a mutant; undefined where it runs as the file is loaded. @param {readonly Body[]} bodies */
export const findBody = (bodies, { start, end }) =>
  bodies
    .filter((body) => body.start <= start && end <= body.end)
    .toSorted((a, b) => a.end - a.start - (b.end - b.start))[0]
