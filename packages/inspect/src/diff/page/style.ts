/** What the page of a comparison looks like, on light and dark screens. */
export const style = `
:root { color-scheme: light dark; --paper: #fff; --ink: #1d2330; --quiet: #5c6675; --line: #d8dde5; --cell: 33, 102, 172; --other: 178, 24, 43 }
@media (prefers-color-scheme: dark) { :root { --paper: #14171d; --ink: #e8ebf0; --quiet: #9aa4b2; --line: #343b47; --cell: 94, 164, 230; --other: 236, 112, 99 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
main { max-width: 80rem; margin: 0 auto; padding: 1.5rem }
h1 { font-size: 1.4rem; overflow-wrap: anywhere }
h2 { font-size: 1.1rem; margin-top: 2rem }
#verdict { font-size: 1.1rem; font-weight: 600; overflow-wrap: anywhere }
#notes { overflow-wrap: anywhere }
#measures { display: flex; flex-wrap: wrap; gap: .5rem }
button { font: inherit; color: inherit; background: none; border: 1px solid var(--line); border-radius: .4rem; padding: .2rem .7rem; cursor: pointer }
button[aria-pressed=true] { background: rgba(var(--cell), .25); border-color: rgb(var(--cell)) }
button:focus-visible, td:focus-visible, input:focus-visible { outline: 2px solid rgb(var(--cell)); outline-offset: 1px }
.scroll, .map { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
.map table { border-collapse: separate; border-spacing: 2px }
.map th { font-weight: 400; color: var(--quiet); padding: 0 .4rem; white-space: nowrap }
.map thead th { vertical-align: bottom; font-size: .8rem }
.map thead th span { writing-mode: vertical-rl; transform: rotate(180deg); max-height: 14rem }
.map tbody th { text-align: right }
.map td { min-width: 3.4rem; height: 1.6rem; padding: 0 .3rem; text-align: center; font-size: .75rem; border-radius: 2px; cursor: default }
.map td.none { background: repeating-linear-gradient(45deg, transparent 0 4px, var(--line) 4px 5px) }
#detail, #legend, #shown { color: var(--quiet) }
#detail { min-height: 3em }
#tensors { width: 100%; font-size: .85rem }
#tensors th, #tensors td { text-align: right; padding: .2rem .6rem; border-bottom: 1px solid var(--line); white-space: nowrap }
#tensors th:first-child, #tensors td:first-child { text-align: left }
#tensors th button { border: 0; padding: 0; font-weight: 600 }
input { font: inherit; padding: .2rem .5rem; border: 1px solid var(--line); border-radius: .4rem; background: none; color: inherit }
`
