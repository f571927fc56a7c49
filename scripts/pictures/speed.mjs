// Seconds and memory beside mergekit's, from the table in the README.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { line, rect, svg, words } from './svg.mjs'

/** The rows of the README's first table of figures that mergekit was measured for, and mergekit's memory. */
async function readFigures(root) {
  const readme = await readFile(join(root, 'README.md'), 'utf8')
  const [, block] = /<!-- benchmark -->([\s\S]*?)<!-- \/benchmark -->/.exec(readme)
  const [table] = /\| merge \|[\s\S]*?\n\n/.exec(block)
  const rows = table
    .trim()
    .split('\n')
    .slice(2)
    .map((row) =>
      row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
    .map(([merge, , seconds, , megabytes, theirs]) => ({
      merge,
      seconds: Number(seconds),
      megabytes: Number(megabytes),
      theirs: Number(theirs),
    }))
    .filter(({ theirs }) => !Number.isNaN(theirs))
  const [, gigabytes] = /([\d.]+) GB of memory/.exec(block)
  return { rows, theirMegabytes: Number(gigabytes) * 1000 }
}

/** Bars on a log scale: seconds of some merges, and peak memory. */
export async function drawSpeed(root) {
  const { rows, theirMegabytes } = await readFigures(root)
  const [left, width, barHeight] = [220, 380, 15]
  const chart = ({ title, from, to, top, bars }) => {
    const x = (value) => left + (Math.log10(value / from) / Math.log10(to / from)) * width
    const ticks = Array.from({ length: Math.round(Math.log10(to / from)) + 1 }, (_, i) => from * 10 ** i)
    const bottom = top + 24 + bars.length * 46
    return [
      words(16, top, title, { kind: 'title' }),
      ticks.map((tick) => [
        line(x(tick), top + 12, x(tick), bottom),
        words(x(tick), bottom + 16, tick.toLocaleString('en'), { anchor: 'middle', kind: 'small' }),
      ]),
      bars.map(({ label, ours, theirs }, index) => {
        const y = top + 20 + index * 46
        return [
          words(left - 12, y + 20, label, { anchor: 'end' }),
          rect(left, y, x(ours) - left, barHeight, 'fill a'),
          words(x(ours) + 6, y + 12, ours.toLocaleString('en'), { kind: 'small' }),
          rect(left, y + barHeight + 3, x(theirs) - left, barHeight, 'fill n'),
          words(x(theirs) + 6, y + barHeight + 15, theirs.toLocaleString('en'), { kind: 'small' }),
        ]
      }),
    ]
  }
  const memoryTop = 66 + rows.length * 46 + 76
  const largest = rows.reduce((a, b) => (a.megabytes > b.megabytes ? a : b))
  return svg(
    {
      width: 690,
      height: memoryTop + 116,
      about: 'Seconds and peak memory of merges beside those of mergekit, on a logarithmic scale',
    },
    rect(16, 14, 14, 14, 'fill a'),
    words(36, 26, 'mk'),
    rect(76, 14, 14, 14, 'fill n'),
    words(96, 26, 'mergekit 0.1.4, on another machine of the same kind'),
    chart({
      title: 'Three models of 1.1 B parameters: seconds, on a log scale',
      from: 1,
      to: 1000,
      top: 62,
      bars: rows.map(({ merge, seconds, theirs }) => ({
        label: merge.replace(', gradient', '').replace(', density 0.5', ''),
        ours: seconds,
        theirs,
      })),
    }),
    chart({
      title: `Peak memory of ${largest.merge.split(',')[0]}, the largest of these: megabytes, on a log scale`,
      from: 10,
      to: 10_000,
      top: memoryTop,
      bars: [{ label: largest.merge.split(',')[0], ours: largest.megabytes, theirs: theirMegabytes }],
    }),
  )
}
