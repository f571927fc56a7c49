import type { ConfigNode } from './config-tree.ts'
import { describeNode, isNull, readBoolean, readInteger, readMap, readText, wrongValue } from './decoding.ts'
import type { Decoding } from './decoding.ts'
import type {
  ConfigPath,
  TokenConfig,
  TokenEmbeddingConfig,
  TokenizerConfig,
  TokenizerSourceConfig,
} from './merge-config.ts'
import { decodeModelReference } from './model-reference.ts'
import { keysOf } from './schema/shapes.ts'
import { nearest } from '@mk/errors'

const kinds = ['model_token', 'zero']

/** Decodes `tokenizer_source: base | union | model:<model> | <model>` */
export function decodeTokenizerSource(decoding: Decoding, node: ConfigNode): TokenizerConfig | undefined {
  const source = decodeSource(decoding, node, ['tokenizer_source'])
  return source && { kind: 'average-rows', source }
}

/** Decodes `tokenizer: {source, tokens, pad_to_multiple_of}` */
export function decodeTokenizer(decoding: Decoding, node: ConfigNode): TokenizerConfig | undefined {
  const path = ['tokenizer']
  if (node.kind === 'scalar') {
    return wrongValue(
      decoding,
      node,
      path,
      '{source, tokens, pad_to_multiple_of}',
      `a tokenizer alone is written {source: ${node.text}}`,
    )
  }
  const entries = readMap(decoding, node, path, '{source, tokens, pad_to_multiple_of}', {
    known: keysOf('tokenizer'),
  })
  if (entries === undefined) return undefined
  const sourceNode = entries.get('source')
  const padNode = entries.get('pad_to_multiple_of')
  const source =
    sourceNode === undefined ? ({ kind: 'union' } as const) : decodeSource(decoding, sourceNode, [...path, 'source'])
  const tokens = decodeTokens(decoding, entries.get('tokens'), [...path, 'tokens'])
  const padToMultipleOf = padNode && readInteger(decoding, padNode, [...path, 'pad_to_multiple_of'], 1)
  return source && { kind: 'complete-rows', source, tokens, ...(padToMultipleOf !== undefined && { padToMultipleOf }) }
}

function decodeSource(decoding: Decoding, node: ConfigNode, path: ConfigPath): TokenizerSourceConfig | undefined {
  if (node.kind === 'scalar' && (node.value === 'base' || node.value === 'union')) return { kind: node.value }
  const prefix = 'model:'
  const named: ConfigNode =
    node.kind === 'scalar' && typeof node.value === 'string' && node.value.startsWith(prefix)
      ? { ...node, value: node.value.slice(prefix.length), text: node.text.slice(prefix.length).trim() }
      : node
  const model = decodeModelReference(decoding, named, path)
  return model && { kind: 'model', model }
}

function decodeTokens(decoding: Decoding, node: ConfigNode | undefined, path: ConfigPath): TokenConfig[] {
  if (node === undefined) return []
  if (node.kind !== 'map') {
    wrongValue(decoding, node, path, 'a mapping of tokens to {source, force}')
    return []
  }
  return [...node.entries].flatMap(([token, { value }]) => decodeToken(decoding, token, value, [...path, token]) ?? [])
}

function decodeToken(decoding: Decoding, token: string, node: ConfigNode, path: ConfigPath): TokenConfig | undefined {
  if (isNull(node)) return { token, force: false, path }
  const entries = readMap(decoding, node, path, '{source, force}', {
    known: keysOf('token'),
    otherwise: 'what fills its row stands under source',
  })
  if (entries === undefined) return undefined
  const sourceNode = entries.get('source')
  const forceNode = entries.get('force')
  const source = sourceNode && decodeEmbedding(decoding, sourceNode, [...path, 'source'])
  const force = forceNode === undefined ? false : readBoolean(decoding, forceNode, [...path, 'force'])
  return { token, force: force ?? false, path, ...(source !== undefined && { source }) }
}

function decodeEmbedding(decoding: Decoding, node: ConfigNode, path: ConfigPath): TokenEmbeddingConfig | undefined {
  const kindNode = node.kind === 'map' ? node.entries.get('kind')?.value : undefined
  if (kindNode === undefined) {
    if (node.kind === 'scalar' && kinds.includes(node.text))
      decoding.warn(
        node.position,
        `'${node.text}' is read as the name of a model; the kind is written {kind: ${node.text}}`,
      )
    const model = decodeModelReference(decoding, node, path)
    return model && { kind: 'model', model }
  }
  const kind = readText(decoding, kindNode, [...path, 'kind'], kinds.join(' or '))
  if (kind === undefined) return undefined
  if (kind === 'zero')
    return readMap(decoding, node, path, '{kind: zero}', { known: keysOf('zero') }) && { kind: 'zero' }
  if (kind === 'model_token') return decodeModelToken(decoding, node, path)
  const guess = nearest(kind, kinds)
  return decoding.report(kindNode.position, [...path, 'kind'], {
    code: 'wrong-value',
    found: describeNode(kindNode),
    expected: kinds.join(' or '),
    ...(guess !== undefined && { nearest: guess }),
  })
}

function decodeModelToken(decoding: Decoding, node: ConfigNode, path: ConfigPath): TokenEmbeddingConfig | undefined {
  const entries = readMap(decoding, node, path, '{kind: model_token, model, token}', {
    known: keysOf('modelToken'),
  })
  if (entries === undefined) return undefined
  const modelNode = entries.get('model')
  const tokenNode = entries.get('token')
  const idNode = entries.get('token_id')
  if (modelNode === undefined) return decoding.report(node.position, path, { code: 'missing-key', keys: ['model'] })
  const model = decodeModelReference(decoding, modelNode, [...path, 'model'])
  if (tokenNode !== undefined && idNode !== undefined)
    return decoding.report(node.position, path, { code: 'conflicting-keys', keys: ['token', 'token_id'] })
  if (tokenNode !== undefined) {
    const token = readText(decoding, tokenNode, [...path, 'token'], `a token of the model's vocabulary`)
    return model && token !== undefined ? { kind: 'model_token', model, token } : undefined
  }
  if (idNode === undefined)
    return decoding.report(node.position, path, { code: 'missing-key', keys: ['token', 'token_id'] })
  const tokenId = readInteger(decoding, idNode, [...path, 'token_id'], 0)
  return model && tokenId !== undefined ? { kind: 'model_token', model, tokenId } : undefined
}
