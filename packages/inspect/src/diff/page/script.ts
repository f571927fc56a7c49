/** What the page of a comparison does, in its browser: no module, and nothing that it would have to fetch. */
export const script = `
'use strict'
{
  const { hasBase, hasRanks, total, cells, tensors } = JSON.parse(document.getElementById('data').textContent)
  const number = (value) => (value === null || value === undefined ? '–' : String(Number(value.toPrecision(3))))
  const share = (value) => (value === null || value === undefined ? '–' : number(100 * value) + ' %')
  const changes = (of) => (difference) => (difference.changes ? of(difference.changes) : null)
  // Where the numbers of a model go over powers of ten, their logarithms make the shades.
  const measures = [
    { name: 'differs by', of: (d) => d.relative, text: share, scale: 'log', what: '‖B − A‖ ÷ ‖A‖' },
    { name: 'angle', of: (d) => (d.cosine === null ? null : 1 - d.cosine), text: number, scale: 'log', what: '1 − the cosine of A and B' },
    { name: 'changed', of: (d) => d.changed, text: share, scale: 'share', what: 'the share of the elements that differ' },
    { name: 'largest', of: (d) => d.largest, text: number, scale: 'log', what: 'the largest |B − A|' },
    { name: 'mean', of: (d) => d.mean, text: number, scale: 'log', what: 'the mean |B − A|' },
    ...(hasBase
      ? [
          { name: 'cosine of changes', of: changes((c) => c.cosine), text: number, scale: 'sign', what: 'the cosine of A − base and B − base: 0 where they have nothing to do with one another' },
          { name: 'opposite signs', of: changes((c) => c.conflicts), text: share, scale: 'share', what: 'of the elements that both change, the share that they change in opposite directions' },
          { name: 'overlap', of: changes((c) => c.overlap), text: share, scale: 'share', what: 'the share of the largest changes that both have' },
        ]
      : []),
    ...(hasRanks
      ? [{ name: 'effective rank', of: (d) => (d.effectiveRank ? d.effectiveRank.rank : null), text: number, scale: 'log', what: 'how many dimensions B − A uses, as evenly as it uses them; of several matrices the mean' + (total.effectiveRank.isEstimate ? ', of large ones an estimate' : '') }]
      : []),
  ]
  let measure = measures[0]

  const element = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties)
    made.append(...children)
    return made
  }
  const byId = (id) => document.getElementById(id)
  const label = (cell) => [cell.module, cell.layer === undefined ? undefined : 'layer ' + cell.layer, cell.kind].filter(Boolean).join(', ')
  const allNumbers = (difference) => measures.map(({ name, of, text }) => name + ' ' + text(of(difference))).join(' · ')

  function shading(values) {
    const known = values.filter((value) => value !== null && Number.isFinite(value))
    const positive = known.filter((value) => value > 0)
    const [least, most] = [Math.min(...positive), Math.max(...positive)]
    if (measure.scale === 'sign') return (value) => [value < 0 ? '--other' : '--cell', Math.abs(value)]
    if (measure.scale === 'share') return (value) => ['--cell', value]
    return (value) => {
      if (value <= 0) return ['--cell', 0]
      return ['--cell', most === least ? 0.5 : 0.1 + (0.9 * Math.log(value / least)) / Math.log(most / least)]
    }
  }

  function drawMaps() {
    const shade = shading(cells.map(({ difference }) => measure.of(difference)))
    const cellOf = (cell) => {
      const value = cell && measure.of(cell.difference)
      const td = element('td', { textContent: cell ? measure.text(value) : '' })
      if (!cell) return td
      td.tabIndex = 0
      td.title = label(cell)
      td.setAttribute('aria-label', label(cell) + ': ' + measure.text(value))
      if (value === null) td.className = 'none'
      else {
        const [color, strength] = shade(value)
        td.style.background = 'rgba(var(' + color + '), ' + (0.9 * strength).toFixed(3) + ')'
        if (strength > 0.6) td.style.color = 'var(--paper)'
      }
      const tell = () => (byId('detail').textContent = label(cell) + ': ' + allNumbers(cell.difference))
      td.addEventListener('mouseenter', tell)
      td.addEventListener('focus', tell)
      return td
    }
    const maps = []
    const draw = (caption, rows, columns, find, rowName) => {
      const head = element('tr', {}, element('th'), ...columns.map((kind) => element('th', { scope: 'col' }, element('span', { textContent: kind }))))
      const body = rows.map((row) => element('tr', {}, element('th', { scope: 'row', textContent: rowName(row) }), ...columns.map((column) => cellOf(find(row, column)))))
      maps.push(element('div', { className: 'map' }, element('table', {}, element('caption', { textContent: caption }), element('thead', {}, head), element('tbody', {}, ...body))))
    }
    const inLayers = cells.filter(({ layer }) => layer !== undefined)
    for (const name of new Set(inLayers.map(({ module }) => module))) {
      const own = inLayers.filter(({ module }) => module === name)
      const found = new Map(own.map((cell) => [cell.layer + ' ' + cell.kind, cell]))
      const layers = [...new Set(own.map(({ layer }) => layer))].sort((a, b) => a - b)
      draw(name ?? '', layers, [...new Set(own.map(({ kind }) => kind))], (layer, kind) => found.get(layer + ' ' + kind), (layer) => 'layer ' + layer)
    }
    const outside = cells.filter(({ layer }) => layer === undefined)
    if (outside.length > 0) draw(inLayers.length > 0 ? 'outside the layers' : '', outside, [measure.name], (cell) => cell, ({ kind }) => kind)
    byId('maps').replaceChildren(...maps)
    byId('legend').textContent = measure.what + '; all tensors together: ' + measure.text(measure.of(total)) + '. The stronger the color, the more.'
    for (const button of byId('measures').children) button.setAttribute('aria-pressed', String(button.textContent === measure.name))
  }

  const most = 500
  const states = { 'only-a': 'only in A', 'only-b': 'only in B', 'other-shape': 'other shape' }
  let [sorted, isDown] = [undefined, true]
  function drawTensors() {
    const wanted = byId('search').value.trim().toLowerCase()
    let found = tensors.filter(({ name }) => name.toLowerCase().includes(wanted))
    const value = (tensor) => (tensor.difference ? (sorted.of(tensor.difference) ?? -1) : Infinity)
    if (sorted) found = [...found].sort((a, b) => (isDown ? value(b) - value(a) : value(a) - value(b)) || 0)
    const shape = ({ a, b }) => (a && b && String(a) !== String(b) ? a.join(' × ') + ' and ' + b.join(' × ') : (a ?? b).join(' × '))
    const dtype = ({ a, b }) => (a && b && a !== b ? a + ' and ' + b : (a ?? b))
    const heads = measures.map((each) => {
      const th = element('th', { scope: 'col' }, element('button', { textContent: each.name, onclick() {
        isDown = sorted === each ? !isDown : true
        sorted = each
        drawTensors()
      } }))
      if (sorted === each) th.setAttribute('aria-sort', isDown ? 'descending' : 'ascending')
      return th
    })
    const head = element('tr', {}, ...['tensor', 'shape', 'dtype'].map((textContent) => element('th', { scope: 'col', textContent })), ...heads)
    const rows = found.slice(0, most).map((tensor) => element('tr', {},
      element('td', { textContent: tensor.name }), element('td', { textContent: shape(tensor.shape) }), element('td', { textContent: dtype(tensor.dtype) }),
      ...measures.map(({ of, text }, index) => element('td', { textContent: tensor.difference ? text(of(tensor.difference)) : index === 0 ? states[tensor.state] : '' }))))
    byId('tensors').replaceChildren(element('thead', {}, head), element('tbody', {}, ...rows))
    byId('shown').textContent = found.length > most ? 'the first ' + most + ' of ' + found.length : found.length + ' of ' + tensors.length
  }

  for (const each of measures)
    byId('measures').append(element('button', { textContent: each.name, onclick() {
      measure = each
      drawMaps()
    } }))
  byId('search').addEventListener('input', drawTensors)
  drawMaps()
  drawTensors()
}
`
