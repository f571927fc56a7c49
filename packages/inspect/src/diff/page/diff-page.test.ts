import { expect, it } from 'vitest'
import { diff, inFolder, writeTensors } from '../../__fixtures__/models.ts'
import { diffPage } from './diff-page.ts'

/** What a page hands to its script. */
const dataOf = (page: string): Record<string, unknown> =>
  JSON.parse(/<script id="data" type="application\/json">(.*?)<\/script>/s.exec(page)![1]!) as Record<string, unknown>

it('has a comparison as it is, and shows names as text', () =>
  inFolder(async (folder) => {
    const write = (name: string, values: number[]) =>
      writeTensors(folder, name, { '</script><b>&"': { shape: [2, 2], values }, w: { shape: [1], values: [1] } })
    const [a, b] = [await write('a', [1, 2, 3, 4]), await write('b', [1, 2, 3, 5])]
    const found = await diff(a, b)
    const { total, cells, tensors } = found
    const models = { a: 'A<i>', b: 'B"&>' }
    const page = diffPage({
      ...found,
      models,
      verdict: { kind: 'close', text: 'A<i> is close', notes: ['one', '<two>'] },
    })
    expect(dataOf(page)).toEqual({ models, hasBase: false, hasRanks: false, total, cells, tensors })
    expect(page).toContain('<title>A&lt;i&gt; and B&quot;&amp;&gt;: mk-diff</title>')
    expect(page).toContain(
      '<h1>A&lt;i&gt; and B&quot;&amp;&gt;</h1>\n<p id="verdict" class="close">A&lt;i&gt; is close.</p>',
    )
    expect(page).toContain('<ul id="notes"><li>one</li><li>&lt;two&gt;</li></ul>')
    expect(page.match(/<\/script>/g)).toHaveLength(2)

    const more = await diff(a, b, { base: a, effectiveRank: true })
    const withBase = diffPage({ ...more, models: { ...models, base: '<base>' } })
    expect(dataOf(withBase)).toMatchObject({ hasBase: true, hasRanks: true })
    expect(withBase).toContain('<p>What both change in &lt;base&gt;.</p>')
  }))
