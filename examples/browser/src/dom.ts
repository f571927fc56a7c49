/** Finds an element that the page has. */
export const find = <T extends HTMLElement = HTMLElement>(id: string): T => document.getElementById(id) as T

type Child = Node | string

/** Makes an element with properties and children. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Partial<HTMLElementTagNameMap[Name]> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const made = Object.assign(document.createElement(name), properties)
  made.append(...children)
  return made
}

/** Says how many bytes in a unit that reads well. */
export function formatBytes(byteCount: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = byteCount
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]!}`
}
