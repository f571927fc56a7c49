import type { ModelDiff } from '../model-diff.ts'
import { script } from './script.ts'
import { style } from './style.ts'

/**
 * Makes a page of a comparison that needs nothing but a browser: the verdict, a heat map of layers × kinds for each measure, and the
 * tensors as a table that can be searched and sorted.
 */
export function diffPage(diff: ModelDiff): string {
  const { models, verdict, total, cells, tensors } = diff
  const title = `${models.a} and ${models.b}`
  const data = {
    models,
    hasBase: total.changes !== undefined,
    hasRanks: total.effectiveRank !== undefined,
    total,
    cells,
    tensors,
  }
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${escaped(title)}: mk-diff</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${escaped(title)}</h1>
${models.base === undefined ? '' : `<p>What both change in ${escaped(models.base)}.</p>\n`}<p id="verdict" class="${verdict.kind}">${escaped(verdict.text)}.</p>
<ul id="notes">${verdict.notes.map((note) => `<li>${escaped(note)}</li>`).join('')}</ul>
<section aria-labelledby="map-title">
<h2 id="map-title">Where they differ</h2>
<div id="measures" role="group" aria-label="Measure"></div>
<p id="legend"></p>
<div id="maps"></div>
<p id="detail" role="status">Point at a cell, or choose one with the keyboard, to see all of its numbers.</p>
</section>
<section aria-labelledby="tensors-title">
<h2 id="tensors-title">Tensors</h2>
<label>Names with <input id="search" type="search" placeholder="mlp, layers.3."></label>
<p id="shown"></p>
<div class="scroll"><table id="tensors"></table></div>
</section>
</main>
<script id="data" type="application/json">${JSON.stringify(data).replaceAll('<', '\\u003c')}</script>
<script>${script}</script>
</body>
</html>
`
}

const marks: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

const escaped = (text: string): string => text.replace(/[&<>"]/g, (mark) => marks[mark]!)
