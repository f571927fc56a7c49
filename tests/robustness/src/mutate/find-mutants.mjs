import { parseSync } from 'oxc-parser'

/**
 * @typedef {object} Mutant one small change of a source
 * @property {string} kind
 * @property {number} start
 * @property {number} end
 * @property {string} text in place of [start, end)
 */

const flipped = {
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '===': '!==',
  '!==': '===',
  '+': '-',
  '-': '+',
  '*': '/',
  '/': '*',
  '%': '*',
  '<<': '>>',
  '>>': '<<',
  '>>>': '<<',
  '&': '|',
  '|': '&',
  '&&': '||',
  '||': '&&',
}
const relatives = {
  min: 'max',
  max: 'min',
  floor: 'ceil',
  ceil: 'floor',
  some: 'every',
  every: 'some',
  push: 'unshift',
  slice: 'at',
  startsWith: 'endsWith',
  endsWith: 'startsWith',
  indexOf: 'lastIndexOf',
  find: 'findLast',
  findIndex: 'findLastIndex',
}
const comparisons = new Set(['<', '<=', '>', '>=', '===', '!=='])

/** Calls that do not care for the order of their arguments, those of expressions of tensors among them. */
const symmetric = new Set(
  'Math.min Math.max Math.imul Math.hypot add mul eq ne and or minimum maximum sameModel sameArchitecture'.split(' '),
)

/** What a type says of itself, in any order: `z.describe(…), z.meta(…)`. */
const isSaidOfType = (text) => /^z\.(describe|meta)\(/.test(text)

/** What is declared for tests to run with, beside what it is an example of. */
const isForTests = ({ type, key }) => type === 'Property' && ['examples', 'edges'].includes(key.name)

/** Parts of a tree that are not run. */
const isOnlyTypes = ({ type, importKind, exportKind, source = null }) =>
  importKind === 'type' ||
  exportKind === 'type' ||
  type === 'ImportDeclaration' ||
  type === 'ExportAllDeclaration' ||
  (type === 'ExportNamedDeclaration' && source !== null) ||
  (type.startsWith('TS') && !['TSAsExpression', 'TSNonNullExpression', 'TSSatisfiesExpression'].includes(type))

/**
 * Finds the places of a source that can be changed a little, with each change.
 * @param {string} file @param {string} source
 * @returns {Mutant[]}
 */
export function findMutants(file, source) {
  const { program, errors } = parseSync(file, source)
  if (errors.length > 0) throw new Error(`${file}: ${errors[0].message}`)
  /** @type {Mutant[]} */
  const mutants = []
  const add = (kind, { start, end }, text) => mutants.push({ kind, start, end, text })
  const textOf = ({ start, end }) => source.slice(start, end)
  visit(program, undefined)
  return mutants

  function visit(node, parent) {
    if (isOnlyTypes(node) || isForTests(node)) return
    mutate(node, parent)
    for (const [key, child] of Object.entries(node)) {
      if (key === 'key' && node.computed !== true) continue
      for (const one of Array.isArray(child) ? child : [child]) if (typeof one?.type === 'string') visit(one, node)
    }
  }

  function mutate(node, parent) {
    switch (node.type) {
      case 'BinaryExpression':
      case 'LogicalExpression':
        return mutateOperator(node)
      case 'UnaryExpression':
        if (node.operator === '!' || node.operator === '-') add(`drop ${node.operator}`, node, textOf(node.argument))
        return
      case 'IfStatement':
        add('negate condition', node.test, `!(${textOf(node.test)})`)
        if (node.alternate === null) add('drop branch', node, '{}')
        else add('drop else', { start: node.consequent.end, end: node.alternate.end }, '')
        return
      case 'ConditionalExpression':
        return add('negate condition', node.test, `!(${textOf(node.test)})`)
      case 'ExpressionStatement':
        if (/^(Call|Await|Assignment|Update)Expression$/.test(node.expression.type)) add('drop statement', node, '{}')
        return
      case 'CallExpression':
        return mutateCall(node)
      case 'Literal':
        return mutateLiteral(node, parent)
    }
  }

  function mutateOperator(node) {
    const { operator, left, right } = node
    if (operator === '??') return add('drop ??', node, textOf(left))
    const other = flipped[operator]
    if (other === undefined) return
    // The operator is what stands between its sides, without brackets and comments.
    const at = source.slice(left.end, right.start).indexOf(operator) + left.end
    add(
      comparisons.has(operator) ? 'flip comparison' : 'change operator',
      { start: at, end: at + operator.length },
      other,
    )
    if (/^[<>]/.test(operator) && operator.length <= 2 && comparisons.has(operator))
      add('off by one', right, `(${textOf(right)}) + 1`)
  }

  function mutateCall({ callee, arguments: given }) {
    const [first, second] = given.map(textOf)
    const areOrdered =
      second !== undefined &&
      first !== second &&
      !symmetric.has(textOf(callee)) &&
      !(isSaidOfType(first) && isSaidOfType(second))
    if (areOrdered && given.every(({ type }) => type !== 'SpreadElement'))
      add('swap arguments', { start: given[0].start, end: given[1].end }, `${second}, ${first}`)
    const name = callee.type === 'MemberExpression' && !callee.computed ? callee.property.name : undefined
    if (name !== undefined && Object.hasOwn(relatives, name)) add('call a relative', callee.property, relatives[name])
  }

  function mutateLiteral(node, parent) {
    const { value } = node
    if (typeof value === 'number') add('change constant', node, `${Number.isInteger(value) ? value + 1 : value * 2}`)
    if (typeof value === 'boolean') add('change constant', node, `${!value}`)
    // Texts with spaces are messages, and others are for reading elsewhere; another wording is no fault.
    const isName =
      typeof value === 'string' && value !== '' && !/\s|^https?:/.test(value) && parent?.type !== 'ExpressionStatement'
    if (isName) add('change constant', node, `'${value.replace(/['\\\n]/g, '')}x'`)
  }
}

/** @param {string} source @param {Mutant} mutant */
export const applyMutant = (source, { start, end, text }) => source.slice(0, start) + text + source.slice(end)

/** The line that a mutant changes, before and after, as they are shown. @param {string} source @param {Mutant} mutant */
export function describeMutant(source, { start, end, text }) {
  const lineStart = source.lastIndexOf('\n', start - 1) + 1
  const lineEnd = (source.indexOf('\n', end) + source.length + 1) % (source.length + 1)
  const before = source.slice(lineStart, lineEnd).trim()
  const after = (source.slice(lineStart, start) + text + source.slice(end, lineEnd)).trim()
  return { line: source.slice(0, start).split('\n').length, before, after }
}
