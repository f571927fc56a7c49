import { styleText } from 'node:util'

/** Where text goes: how wide it is, and whether it shows color. */
export interface Screen {
  readonly isTTY: boolean
  /** Columns; undefined where text is not wrapped, as in a file or a pipe. */
  readonly width: number | undefined
  readonly style: Style
}

type Paint = (text: string) => string

export interface Style {
  readonly bold: Paint
  readonly dim: Paint
  readonly red: Paint
  readonly yellow: Paint
  readonly cyan: Paint
}

export interface OutputStream {
  readonly isTTY?: boolean
  readonly columns?: number
}

type Environment = Readonly<Record<string, string | undefined>>

const leastWidth = 40
const usualWidth = 80

/** Describes where a stream goes. */
export function describeScreen(stream: OutputStream, environment: Environment = process.env): Screen {
  const isTTY = stream.isTTY === true
  return {
    isTTY,
    width: isTTY ? Math.max(leastWidth, stream.columns || usualWidth) : undefined,
    style: createStyle(hasColor(isTTY, environment)),
  }
}

/** FORCE_COLOR decides, else NO_COLOR (https://no-color.org), else whether it is a terminal that knows colors. */
export function hasColor(isTTY: boolean, environment: Environment): boolean {
  const forced = environment['FORCE_COLOR']
  if (forced !== undefined) return forced !== '0' && forced !== 'false'
  if (environment['NO_COLOR']) return false
  return isTTY && environment['TERM'] !== 'dumb'
}

function createStyle(isColored: boolean): Style {
  const paint =
    (format: Parameters<typeof styleText>[0]): Paint =>
    (text) =>
      isColored ? styleText(format, text, { validateStream: false }) : text
  return {
    bold: paint('bold'),
    dim: paint('dim'),
    red: paint(['bold', 'red']),
    yellow: paint(['bold', 'yellow']),
    cyan: paint('cyan'),
  }
}

export const plainStyle: Style = createStyle(false)

/** What formats text of results needs to know of where it goes. */
export type PlainScreen = Pick<Screen, 'width' | 'style'>

/** A file or a pipe: one line stays one, and nothing is colored. */
export const plainScreen: PlainScreen = { width: undefined, style: plainStyle }
