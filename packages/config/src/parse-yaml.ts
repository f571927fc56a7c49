import { Composer, isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, Parser } from 'yaml'
import type { CST, Document, Node, Pair, Scalar, YAMLMap } from 'yaml'
import type { Anchor, ConfigNode, MapEntry, MapNode, ReplacedEntry, ScalarNode } from './config-tree.ts'
import { ConfigError } from './errors.ts'
import { limits } from './limits.ts'
import type { ConfigIssue, ConfigProblem } from './errors.ts'
import type { Position } from './place.ts'
import { isCollectionTag, isScalarTag, noPlaceFor, readTagged } from './standard-tags.ts'
import { explainSyntax, findForeignText, findLookalike } from './syntax-reasons.ts'

/**
 * Parses YAML 1.2 with anchors, aliases, merge keys (`<<`) and the tags of YAML's own scalars, as a tree with positions.
 * A key that is written twice in one mapping has its last value; the mapping says what was replaced.
 * @throws ConfigError invalid-yaml, several-documents, alias-limit
 */
export function parseYaml(text: string, file?: string): ConfigNode {
  const [document, second, ...others] = parseYamlDocuments(text, file)
  if (second === undefined) return document!
  const issue = { code: 'several-documents', count: others.length + 2, path: [], position: second.position } as const
  throw new ConfigError([{ ...issue, ...(file !== undefined && { file }) }])
}

/**
 * Parses all documents of a text, separated by `---`; those that hold nothing are left out, and at least one is left.
 * @throws ConfigError invalid-yaml, alias-limit
 */
export function parseYamlDocuments(text: string, file?: string): readonly ConfigNode[] {
  const lines = new LineCounter()
  const place = (offset: number | undefined): Position | undefined => {
    if (offset === undefined) return undefined
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  }
  const issueAt = (position: Position | undefined, fault: ConfigProblem): ConfigIssue => ({
    ...fault,
    path: [],
    position,
    ...(file !== undefined && { file }),
  })

  if (text.length > limits.characters) {
    throw new ConfigError([
      issueAt(undefined, {
        code: 'invalid-yaml',
        reason: `${text.length} characters, where at most ${limits.characters} are read`,
      }),
    ])
  }
  const foreign = findForeignText(text)
  if (foreign !== undefined)
    throw new ConfigError([issueAt(placeIn(text, foreign.offset), { code: 'invalid-yaml', reason: foreign.reason })])
  const documents = readDocuments(
    text,
    lines,
    (offset, reason) => new ConfigError([issueAt(place(offset), { code: 'invalid-yaml', reason })]),
  )
  // Only the first: the others mostly follow from it.
  const error = documents.flatMap(({ errors, warnings }) => [
    ...errors,
    ...warnings.filter(
      ({ code, message }) => code === 'TAG_RESOLVE_FAILED' && !isScalarTag(message.replace(/^Unresolved tag: /, '')),
    ),
  ])[0]
  if (error !== undefined) {
    const { offset, reason } = explainSyntax(error, text, documents)
    throw new ConfigError([issueAt(place(offset), { code: 'invalid-yaml', reason })])
  }

  const filled = documents.filter(
    ({ contents }) => contents !== null && !(isScalar(contents) && contents.value === null),
  )
  if (filled.length === 0)
    throw new ConfigError([issueAt({ line: 1, column: 1 }, { code: 'invalid-yaml', reason: 'there is nothing in it' })])
  return filled.map(({ contents }) =>
    buildTree(contents!, place, (position, fault) => new ConfigError([issueAt(position, fault)])),
  )
}

/**
 * Stops at the first thing that is over a limit, before anything is composed: the composer recurses, so that a text of brackets
 * would exhaust the stack.
 */
function readDocuments(
  text: string,
  lineCounter: LineCounter,
  over: (offset: number, reason: string) => ConfigError,
): Document.Parsed[] {
  const parser = new Parser(lineCounter.addNewLine)
  lineCounter.addNewLine(0)
  const tokens: CST.Token[] = []
  let lexemes = 0
  let tags = 0
  let documents = 0
  const check = (found: number, most: number, reason: string): void => {
    if (found > most) throw over(parser.offset, reason)
  }
  const take = (parsed: Iterable<CST.Token>): void => {
    for (const token of parsed) {
      tokens.push(token)
      if (token.type === 'document') documents++
    }
    check(documents, limits.documents, `it has more than ${limits.documents} documents`)
  }
  for (const lexeme of new Lexer().lex(text)) {
    take(parser.next(lexeme))
    if (lexeme.startsWith('!')) tags++
    check(parser.stack.length, limits.depth, `it is nested more than ${limits.depth} levels deep`)
    check(++lexemes, limits.lexemes, `it has more than ${limits.lexemes} words and marks`)
    check(lineCounter.lineStarts.length, limits.lines, `it has more than ${limits.lines} lines`)
    check(tags, limits.tags, `it has more than ${limits.tags} tags`)
  }
  take(parser.end())
  // Duplicate keys are found below, in linear time.
  const composer = new Composer({ lineCounter, prettyErrors: false, uniqueKeys: false })
  return [...composer.compose(tokens)] as Document.Parsed[]
}

/** Before anything is parsed, positions are counted by hand. */
function placeIn(text: string, offset: number): Position {
  const before = text.slice(0, offset).split('\n')
  return { line: before.length, column: before.at(-1)!.length + 1 }
}

/** What an alias of it stands for; undefined while it is being built. */
interface KnownAnchor extends Anchor {
  node: ConfigNode | undefined
  nodeCount: number
  isUsed: boolean
}

function buildTree(
  root: Node,
  place: (offset: number | undefined) => Position | undefined,
  failure: (position: Position | undefined, fault: ConfigProblem) => ConfigError,
): ConfigNode {
  const anchors = new Map<string, KnownAnchor>()
  const allAnchors: KnownAnchor[] = []
  let nodeCount = 0

  const build = (node: unknown, position: Position | undefined): ConfigNode => {
    nodeCount++
    if (isAlias(node)) return resolveAlias(node.source, place(node.range?.[0]))
    const anchor = (node as { anchor?: string } | null)?.anchor
    if (anchor === undefined) return buildOwn(node, position)
    const before = nodeCount
    const known: KnownAnchor = { name: anchor, node: undefined, nodeCount: 0, isUsed: false }
    anchors.set(anchor, known)
    allAnchors.push(known)
    known.node = buildOwn(node, position)
    known.nodeCount = nodeCount - before
    return known.node
  }

  const resolveAlias = (name: string, position: Position | undefined): ConfigNode => {
    const target = anchors.get(name)
    if (target === undefined)
      throw failure(position, { code: 'invalid-yaml', reason: `'*${name}' refers to no anchor '&${name}' before it` })
    target.isUsed = true
    if (target.node === undefined)
      throw failure(position, { code: 'alias-limit', reason: `'*${name}' is inside of what it refers to` })
    nodeCount += target.nodeCount
    if (nodeCount > limits.values)
      throw failure(position, {
        code: 'alias-limit',
        reason: `with its aliases expanded the config has more than ${limits.values} values`,
      })
    return target.node
  }

  const buildOwn = (node: unknown, parentPosition: Position | undefined): ConfigNode => {
    const position = place((node as Node | null)?.range?.[0]) ?? parentPosition
    if ((isMap(node) || isSeq(node)) && node.tag !== undefined && !isCollectionTag(node.tag))
      throw failure(position, { code: 'invalid-yaml', reason: noPlaceFor(node.tag) })
    if (isMap(node)) return buildMap(node, position)
    if (isSeq(node)) return { kind: 'list', items: node.items.map((item) => build(item, position)), position }
    if (!isScalar(node)) return { kind: 'scalar', value: null, text: '', quoted: false, position }
    return buildScalar(node, position)
  }

  const buildScalar = (node: Scalar, position: Position | undefined): ScalarNode => {
    const { value, source, type, tag } = node
    if (tag !== undefined && !isCollectionTag(tag)) {
      const tagged = readTagged(tag, typeof source === 'string' ? source : String(value))
      if (!isScalarTag(tag)) throw failure(position, { code: 'invalid-yaml', reason: noPlaceFor(tag) })
      if (tagged === undefined)
        throw failure(position, {
          code: 'invalid-yaml',
          reason: `the value is none of the type that its tag says, '${tag}'`,
        })
      return { kind: 'scalar', ...tagged, text: source ?? String(value), position }
    }
    const lookalike = type === 'PLAIN' ? findLookalike(source ?? '') : undefined
    if (lookalike !== undefined)
      throw failure(place(node.range![0] + lookalike.index), { code: 'invalid-yaml', reason: lookalike.reason })
    const known = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null
    if (!known)
      throw failure(position, { code: 'invalid-yaml', reason: 'a value of this type has no place in a merge config' })
    return { kind: 'scalar', value, text: source ?? String(value), quoted: type !== 'PLAIN', position }
  }

  const buildMap = (map: YAMLMap, position: Position | undefined): MapNode => {
    const own = new Map<string, MapEntry>()
    const replaced: ReplacedEntry[] = []
    const merges: ConfigNode[] = []
    for (const { key, value } of map.items as Pair[]) {
      const keyPosition = place((key as Node | null)?.range?.[0]) ?? position
      const anchorsBefore = allAnchors.length
      const keyNode = build(key, keyPosition)
      if (keyNode.kind !== 'scalar')
        throw failure(keyPosition, { code: 'invalid-yaml', reason: 'a key must be a word, not a list or a mapping' })
      const child = build(value, keyPosition)
      const isMerge = keyNode.text === '<<' && !keyNode.quoted
      if (isMerge) {
        merges.push(child)
        continue
      }
      const before = own.get(keyNode.text)
      if (before !== undefined) replaced.push({ key: keyNode.text, entry: before, position: keyPosition })
      const anchors = map === root ? allAnchors.slice(anchorsBefore) : []
      own.set(keyNode.text, { keyPosition, value: child, ...(anchors.length > 0 && { anchors }) })
    }
    for (const source of merges.flatMap((merge) => (merge.kind === 'list' ? merge.items : [merge]))) {
      if (source.kind !== 'map')
        throw failure(source.position, {
          code: 'invalid-yaml',
          reason: `'<<' takes a mapping or a list of mappings`,
        })
      for (const [key, entry] of source.entries) if (!own.has(key)) own.set(key, entry)
    }
    return { kind: 'map', entries: own, ...(replaced.length > 0 && { replaced }), position }
  }

  return build(root, undefined)
}
