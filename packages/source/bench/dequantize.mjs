// How fast quantized weights are read as float32, in one thread from the page cache: a matrix of 4096 × 4096 in pieces of 2^17 elements,
// the fastest of several runs, in processor time. Prints 10^9 elements a second.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodedGgmlTypes } from '@mk/gguf'
import { transposedSource } from '@mk/source'
import { createSourceReader } from '@mk/source/node'

const [rows, columns] = [4096, 4096]
const group = 128
const pieceElements = 2 ** 17

const integers = { kind: 'integers', offset: 0 }
const packed = (source) => ({ kind: 'packed', dtype: 'F32', bits: 4, along: 'columns', values: integers, ...source })
const dequantized = (source) => ({ kind: 'dequantized', dtype: 'F32', shape: [rows, columns], blockRows: 1, ...source })

/** The layouts, of tensors that `file` gives by dtype and shape. */
function layouts(file, permutation) {
  const nf4 = { places: [1, 0], values: { kind: 'stored', table: file('F32', [16]) } }
  const flat = packed({ shape: [rows * columns], words: file('U8', [(rows * columns) / 2]), ...nf4 })
  const gptq = (bits, more) => {
    const zeros = transposedSource(file('I32', [columns / group, (rows * bits) / 32]))
    return dequantized({
      source: packed({
        bits,
        shape: [rows, columns],
        words: transposedSource(file('I32', [(columns * bits) / 32, rows])),
      }),
      scale: transposedSource(file('F16', [columns / group, rows])),
      zero: packed({ bits, shape: [rows, columns / group], along: 'rows', words: zeros }),
      blockColumns: group,
      ...more,
    })
  }
  const awq = (width) => ({
    shape: [rows, width],
    along: 'rows',
    places: [0, 4, 1, 5, 2, 6, 3, 7],
    words: transposedSource(file('I32', [width, rows / 8])),
  })
  const e2m1 = { kind: 'floats', format: 'e2m1' }
  const mlx = (bits) =>
    dequantized({
      source: packed({ bits, shape: [rows, columns], words: file('U32', [rows, (columns * bits) / 32]) }),
      scale: file('BF16', [rows, columns / 64]),
      bias: file('BF16', [rows, columns / 64]),
      blockColumns: 64,
    })
  const block = { blockRows: rows, blockColumns: columns / 16 }
  return {
    'bitsandbytes NF4': dequantized({ source: flat, scale: file('F32', [(rows * columns) / 64]), blockColumns: 64 }),
    'bitsandbytes int8': dequantized({
      source: file('I8', [rows, columns]),
      scale: file('F32', [rows]),
      blockColumns: columns,
      factor: 1 / 127,
    }),
    'GPTQ, 4 bits': gptq(4, { groups: permutation }),
    'GPTQ, 3 bits': gptq(3, { groups: permutation }),
    AWQ: dequantized({
      source: packed(awq(columns)),
      scale: transposedSource(file('F16', [columns / group, rows])),
      zero: packed(awq(columns / group)),
      blockColumns: group,
    }),
    'compressed-tensors, 4 bits': dequantized({
      source: packed({ shape: [rows, columns], words: file('I32', [rows, columns / 8]) }),
      scale: file('BF16', [rows, columns / group]),
      blockColumns: group,
    }),
    NVFP4: dequantized({
      source: packed({ shape: [rows, columns], words: file('U8', [rows, columns / 2]), values: e2m1 }),
      scale: dequantized({
        shape: [rows, columns / 16],
        source: file('F8_E4M3', [rows, columns / 16]),
        scale: file('F32', [1]),
        ...block,
      }),
      blockColumns: 16,
    }),
    'MXFP4 of gpt-oss': dequantized({
      shape: [1, rows, columns],
      source: packed({
        shape: [1, rows, columns],
        along: 'rows',
        words: transposedSource(file('U8', [1, columns, rows / 2])),
        values: e2m1,
      }),
      scale: packed({
        bits: 8,
        shape: [1, rows / 32, columns],
        words: transposedSource(file('U8', [1, columns, rows / 32])),
        values: { kind: 'floats', format: 'e8m0' },
      }),
      blockRows: 32,
      blockColumns: 1,
    }),
    'MLX, 4 bits': mlx(4),
    'MLX, 6 bits': mlx(6),
    'float8 in blocks': dequantized({
      source: file('F8_E4M3', [rows, columns]),
      scale: file('F32', [rows / group, columns / group]),
      blockRows: group,
      blockColumns: group,
    }),
  }
}

/** Reads all of a source. @returns seconds of processor time */
function readAll(reader, source, into) {
  const before = process.cpuUsage()
  for (let start = 0; start < rows * columns; start += pieceElements) reader.read(source, start, pieceElements, into)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}

/** Measures all layouts. @returns name → 10^9 elements a second */
export function measureDequantization(runs = 5) {
  const folder = mkdtempSync(join(tmpdir(), 'mk-bench-dequantize-'))
  try {
    const path = join(folder, 'bytes')
    // Scales in any of the formats are then ordinary numbers.
    writeFileSync(
      path,
      Uint8Array.from({ length: rows * columns * 4 }, (_, i) => 0x3c + ((i * 7 + (i >> 7)) & 3)),
    )
    const list = join(folder, 'groups')
    const groups = Int32Array.from({ length: columns }, (_, column) => (column * 7919) % (columns / group))
    writeFileSync(list, new Uint8Array(groups.buffer))
    const file = (dtype, shape, name = path) => ({ kind: 'file', file: name, byteStart: 0, dtype, shape })
    const blocks = decodedGgmlTypes.map((type) => [
      `GGUF, ${type}`,
      { kind: 'blocks', dtype: 'F32', shape: [rows, columns], file: path, byteStart: 0, type },
    ])
    const sources = { ...layouts(file, file('I32', [columns], list)), ...Object.fromEntries(blocks) }
    const into = new Uint8Array(pieceElements * 4)
    return Object.entries(sources).map(([name, source]) => {
      const reader = createSourceReader()
      const seconds = Math.min(...Array.from({ length: runs }, () => readAll(reader, source, into)))
      reader.close()
      return [name, (rows * columns) / seconds / 1e9]
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export function printDequantization() {
  console.log('| read as float32 | 10⁹ elements a second and core |')
  console.log('|---|---|')
  for (const [name, rate] of measureDequantization()) console.log(`| ${name} | ${rate.toFixed(2)} |`)
}

if (process.argv[1] === import.meta.filename) printDequantization()
