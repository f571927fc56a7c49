import { isScalar, type Document, visit } from 'yaml'
import { noPlaceFor } from './standard-tags.ts'

/** A fault in the text of a recipe, and where it is, as an offset in the text. */
export interface TextFault {
  readonly offset: number
  readonly reason: string
}

interface SyntaxFault {
  readonly code: string
  readonly message: string
  readonly pos: readonly [number, number]
}

/** Spaces of other kinds and marks without width, which look like spaces or like nothing and are letters to YAML. */
const oddSpace = '\u00a0\u1680\u2000-\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff'
const oddSpaceInLine = new RegExp(`^[ \\t-]*[${oddSpace}]|[:-][${oddSpace}]|[${oddSpace}]:`, 'mu')
const oddSpaceAround = new RegExp(`^[${oddSpace}]|[:-][${oddSpace}]|[${oddSpace}]$`, 'u')

/** Finds what shows that a text is no recipe before it is parsed: another encoding, a Markdown code fence. */
export function findForeignText(text: string): TextFault | undefined {
  const nul = text.slice(0, 4096).indexOf('\0')
  if (nul >= 0) {
    const looksWide = /[ -~]\0|\0[ -~]/.test(text.slice(0, 4096))
    return {
      offset: 0,
      reason: looksWide
        ? 'the file is UTF-16, expected UTF-8; save it as UTF-8'
        : 'the file is no text: there are zero bytes in it',
    }
  }
  if (text.startsWith('version https://git-lfs.github.com/spec/'))
    return { offset: 0, reason: `the file is a Git LFS pointer, not the recipe; run 'git lfs pull' in its folder` }
  if (/^\uFEFF?\s*<(?:!doctype html|html)\b/i.test(text))
    return {
      offset: 0,
      reason: 'the file is a web page (HTML), not the recipe that it shows; download the file itself',
    }
  const fence = /^\uFEFF?\s*(```|~~~)/.exec(text)
  if (fence === null) return undefined
  const offset = fence[0].length - 3
  return {
    offset,
    reason: `a Markdown code fence is no part of a recipe; leave out the lines that begin with ${fence[1]}`,
  }
}

/** Finds a plain scalar's letters that only look like YAML: a space of another kind at its edge, a typographic quotation mark. */
export function findLookalike(plain: string): { readonly index: number; readonly reason: string } | undefined {
  const quote = /^[“”„‟‘’‚‛«»]/.exec(plain)
  if (quote !== null)
    return { index: 0, reason: `${quote[0]} is a typographic quotation mark, a letter to YAML; write " or '` }
  const found = oddSpaceAround.exec(plain)
  if (found === null) return undefined
  const index = found.index + found[0].search(new RegExp(`[${oddSpace}]`, 'u'))
  return { index, reason: oddSpaceReason(plain.charCodeAt(index)) }
}

const oddSpaceReason = (charCode: number): string => {
  const hex = charCode.toString(16).toUpperCase().padStart(4, '0')
  const name = charCode === 0xa0 || charCode === 0x202f ? 'a no-break space' : 'a space of another kind'
  return `there is ${name} (U+${hex}) here, which is a letter to YAML; write an ordinary space`
}

/** Says in a recipe's words what the parser of YAML stumbled over, and where a person would look for it. */
export function explainSyntax(fault: SyntaxFault, text: string, documents: readonly Document[]): TextFault {
  const [offset] = fault.pos
  const lines = linesAround(text, offset)
  const fence = /^[ \t]*(```|~~~)/m.exec(text)
  if (fence !== null && fence.index <= offset && /^\s*(```|~~~)/.test(lines.line))
    return {
      offset: lines.start,
      reason: `a Markdown code fence is no part of a recipe; leave out the lines that begin with ${fence[1]}`,
    }
  const odd = oddSpaceInLine.exec(text)
  if (odd !== null) {
    const at = odd.index + odd[0].search(new RegExp(`[${oddSpace}]`, 'u'))
    return { offset: at, reason: oddSpaceReason(text.charCodeAt(at)) }
  }
  const keyless = keylessList(text)
  if (keyless !== undefined) return keyless
  return explainByCode(fault, lines, documents)
}

/** Finds a list of models or slices that has no key before it, which YAML takes for part of the value above it. */
function keylessList(text: string): TextFault | undefined {
  const item = /^([ \t]*)- *(model|sources|layer_range) *:/m.exec(text)
  if (item === null) return undefined
  const before = text
    .slice(0, item.index)
    .split('\n')
    .findLast((line) => /\S/.test(line) && !/^\s*#/.test(line))
  const key = item[2] === 'model' ? 'models' : 'slices'
  const hasKey = new RegExp(`^[ \\t]*['"]?(models|slices|sources)['"]?\\s*:`, 'm').test(text.slice(0, item.index))
  if (hasKey || (before !== undefined && /:\s*(#.*)?$/.test(before))) return undefined
  return { offset: item.index + item[1]!.length, reason: `this list has no key; write '${key}:' on a line before it` }
}

interface Lines {
  readonly start: number
  readonly line: string
  /** What stands before the fault on its line, and from it on. */
  readonly before: string
  readonly rest: string
  readonly nextStart: number
  readonly next: string
}

function linesAround(text: string, offset: number): Lines {
  const start = text.lastIndexOf('\n', offset - 1) + 1
  const found = text.indexOf('\n', offset)
  const end = found < 0 ? text.length : found
  const next = /^(?:[ \t]*(?:#.*)?\n)*([ \t]*)(.*)/.exec(text.slice(end + 1))
  const nextStart = next === null ? end : end + 1 + next[0].length - next[2]!.length
  return {
    start,
    line: text.slice(start, end),
    before: text.slice(start, offset),
    rest: text.slice(offset, end),
    nextStart,
    next: next?.[2] ?? '',
  }
}

const spaceMissing = (line: string): string | undefined => {
  const [, key, value] = /^\s*(?:- +)*([\w-]+):([^\s:/\\].*)$/.exec(line) ?? []
  return key === undefined ? undefined : `a space is missing after the colon: write '${key}: ${value!.trim()}'`
}

function explainByCode(fault: SyntaxFault, lines: Lines, documents: readonly Document[]): TextFault {
  const {
    code,
    message,
    pos: [offset],
  } = fault
  const at = (reason: string, place = offset): TextFault => ({ offset: place, reason })
  const original = message.charAt(0).toLowerCase() + message.slice(1)
  switch (code) {
    case 'TAB_AS_INDENT':
      return at(`${original}; indent with spaces`)
    case 'BAD_DQ_ESCAPE':
      return at(`${original}; a Windows path stands in single quotes or in none`)
    case 'TAG_RESOLVE_FAILED':
      return at(noPlaceFor(message.replace(/^Unresolved tag: /, '')))
    case 'MULTILINE_IMPLICIT_KEY':
      return at(lineReason(lines))
    case 'BLOCK_AS_IMPLICIT_KEY':
      if (/:(\s|$)/.test(lines.rest))
        return at(
          `there is a second colon on the line; a text with ': ' in it stands in quotes, and each setting on a line of its own`,
        )
      return at('this line is indented further than the one before it, which has its value already', lines.nextStart)
    case 'MISSING_CHAR': {
      const quote = /^Missing closing (["'])/.exec(message)?.[1]
      if (quote !== undefined)
        return at(`the quotation mark ${quote} is opened here and never closed`, lastQuoted(documents) ?? offset)
      return at(/map values/.test(message) ? lineReason(lines) : original)
    }
    case 'BAD_INDENT': {
      const bracket = /end with a ([\]}])/.exec(message)?.[1]
      if (bracket !== undefined)
        return at(`the ${bracket === ']' ? '[' : '{'} before this is not closed; expected ${bracket}`)
      return at(
        'this line begins in another column than the others of its list or mapping; all of them begin in the same one',
      )
    }
    case 'UNEXPECTED_TOKEN': {
      const closing = /flow-(?:seq|map)-end token/.test(message) ? lines.rest[0] : undefined
      if (closing !== undefined) return at(`the ${closing} closes nothing that is open`)
      if (/["'\]}]\s*$/.test(lines.before))
        return at('nothing may follow on the line after a value in quotes or brackets')
      return at('this does not belong to what stands above it; check its indentation')
    }
    case 'BAD_SCALAR_START':
      return at(`a value that begins with ${lines.rest[0] ?? 'this'} stands in quotes`)
    case 'BLOCK_IN_FLOW':
      return at('a comma is missing between the parts of [ ] or { }')
    case 'BAD_ALIAS':
      return at(`a text that begins with ${lines.rest[0] ?? 'this'} stands in quotes`)
    default:
      return at(original)
  }
}

function lineReason({ line, rest }: Lines): string {
  const missing = spaceMissing(line) ?? spaceMissing(rest)
  if (missing !== undefined) return missing
  if (/^\s*(?:- +)?[\w-]+\s*=/.test(line))
    return `a value stands after its key, a colon and a space: 'key: value', not 'key = value'`
  return `this is no setting: expected 'key: value'`
}

/** The last quoted text is the one that goes on to the end. */
function lastQuoted(documents: readonly Document[]): number | undefined {
  let offset: number | undefined
  for (const document of documents)
    visit(document, (_, node) => {
      if (isScalar(node) && (node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE')) offset = node.range?.[0]
    })
  return offset
}
