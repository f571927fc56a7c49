// What the pictures share: a document that is legible on a light and on a dark page, and a few shapes.

const style = `
text { font: 13px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: #1f2328 }
.title { font-weight: 600; font-size: 14px }
.small { font-size: 11px; fill: #59636e }
.mono { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; font-size: 12px }
.axis { stroke: #d1d9e0; fill: none }
.line { stroke: #59636e; fill: none; stroke-width: 1.5 }
.box { fill: #f6f8fa; stroke: #d1d9e0; rx: 6px }
.round { rx: 4px }
.dash { stroke-dasharray: 4 4 }
.a { --c: #0969da } .b { --c: #bc4c00 } .c { --c: #1a7f37 } .d { --c: #8250df } .n { --c: #59636e }
.stroke { stroke: var(--c); fill: none; stroke-width: 2.5 }
.faint { opacity: 0.35 }
.fill { fill: var(--c) }
.onfill { fill: #ffffff }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc }
  .small { fill: #9198a1 }
  .axis { stroke: #3d444d }
  .line { stroke: #9198a1 }
  .box { fill: #151b23; stroke: #3d444d }
  .a { --c: #4493f8 } .b { --c: #db6d28 } .c { --c: #3fb950 } .d { --c: #ab7df8 } .n { --c: #9198a1 }
  .onfill { fill: #0d1117 }
}`

/** Makes a document of shapes; `about` is what a person hears who can't see it. */
export function svg({ width, height, about }, ...shapes) {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(about)}">
<style>${style}</style>
<defs>${['a', 'b', 'c', 'd', 'n'].map((color) => `<marker id="head-${color}" class="${color}" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="5" markerHeight="5" orient="auto"><path class="fill" d="M0 0L10 5L0 10z"/></marker>`).join('')}</defs>
${shapes.flat(9).join('\n')}
</svg>
`
}

export const escaped = (text) =>
  String(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

const rounded = (value) => Number(value.toFixed(2))
const attributes = (values) =>
  Object.entries(values)
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => ` ${name}="${typeof value === 'number' ? rounded(value) : escaped(value)}"`)
    .join('')

/** Words at a place; `anchor` is start, middle or end. */
export const words = (x, y, text, { anchor, kind } = {}) =>
  `<text${attributes({ x, y, 'text-anchor': anchor, class: kind })}>${escaped(text)}</text>`

export const rect = (x, y, width, height, kind) => `<rect${attributes({ x, y, width, height, class: kind })}/>`

export const line = (x1, y1, x2, y2, kind = 'axis') => `<line${attributes({ x1, y1, x2, y2, class: kind })}/>`

export const circle = (cx, cy, r, kind) => `<circle${attributes({ cx, cy, r, class: kind })}/>`

export const path = (points, kind) =>
  `<path${attributes({ d: points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${rounded(x)} ${rounded(y)}`).join(''), class: kind })}/>`

/** An arrow in one of the colors a, b, c, d, n. */
export const arrow = ([x1, y1], [x2, y2], color, { faint = false } = {}) =>
  `<line${attributes({ x1, y1, x2, y2, class: `stroke ${color}${faint ? ' faint' : ''}`, 'marker-end': `url(#head-${color})` })}/>`
