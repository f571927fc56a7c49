/** An expression in JavaScript, and its type in WGSL; 'int' is a literal that is an i32 or a u32 as the other side demands. */
interface Typed {
  readonly js: string
  readonly type: string
}

type Buffers = Readonly<Record<string, Uint32Array>>

/** Makes of a shader's buffers what it does for a thread. */
export type Shader = (buffers: Buffers) => (id: { readonly x: number }) => void

const precedence = ['||', '&&', '|', '^', '&', '== !=', '< <= > >=', '<< >>', '+ -', '*'].map((ops) => ops.split(' '))
const members: Readonly<Record<string, string>> = { exponent: 'i32' }
const wrap = (js: string, type: string): Typed => ({ js: type === 'u32' ? `((${js}) >>> 0)` : `((${js}) | 0)`, type })

/**
 * Translates WGSL of whole numbers to JavaScript, as much of it as the shaders of this package have, so that they are tested where
 * there is no WebGPU.
 */
export function translateWgsl(code: string): Shader {
  const tokens = code.match(/0x[\da-f]+u?|\d+u?|[A-Za-z_]\w*|->|&&|\|\||[=!<>]=|<<|>>|[^\s\w]/g)!
  const returns = Object.fromEntries(
    [...code.matchAll(/fn (\w+)\([^)]*\)(?: -> (\w+))?/g)].map(([, name, type]) => [name!, type ?? 'void']),
  )
  const scopes: Map<string, string>[] = [new Map()]
  let at = 0
  const peek = () => tokens[at]!
  const next = () => tokens[at++]!
  const isNext = (token: string) => peek() === token && at++ >= 0
  const expect = (token: string): void => {
    if (next() !== token) throw new SyntaxError(`expected ${token} before ${tokens.slice(at - 1, at + 9).join(' ')}`)
  }
  const declare = (name: string, type: string) => scopes.at(-1)!.set(name, type)
  const typeOf = (name: string): string => {
    const scope = scopes.findLast((known) => known.has(name))
    if (scope === undefined) throw new SyntaxError(`${name} is not declared`)
    return scope.get(name)!
  }
  const skipTo = (token: string): string => {
    const from = at
    while (next() !== token);
    return tokens.slice(from, at - 1).join('')
  }
  const list = (end: string): Typed[] => {
    const items: Typed[] = []
    while (!isNext(end)) {
      items.push(expression())
      if (peek() !== end) expect(',')
    }
    return items
  }

  function call(name: string, args: readonly Typed[]): Typed {
    const [a, b, c] = args as [Typed, Typed, Typed]
    const same = a.type === 'int' ? (b?.type ?? 'i32') : a.type
    const calls: Readonly<Record<string, () => Typed>> = {
      u32: () => wrap(`Number(${a.js})`, 'u32'),
      i32: () => wrap(`Number(${a.js})`, 'i32'),
      select: () => ({ js: `(${c.js} ? ${b.js} : ${a.js})`, type: same }),
      countLeadingZeros: () => ({ js: `Math.clz32(${a.js})`, type: a.type }),
      abs: () => ({ js: `Math.abs(${a.js})`, type: a.type }),
      min: () => ({ js: `Math.min(${a.js}, ${b.js})`, type: same }),
      max: () => ({ js: `Math.max(${a.js}, ${b.js})`, type: same }),
      Parts: () => ({ js: `({ exponent: ${a.js}, significand: ${b.js} })`, type: 'Parts' }),
    }
    if (calls[name] !== undefined) return calls[name]()
    return { js: `${name}(${args.map(({ js }) => js).join()})`, type: returns[name]! }
  }

  function primary(): Typed {
    const token = next()
    if (token === '(') {
      const inner = expression()
      expect(')')
      return { ...inner, js: `(${inner.js})` }
    }
    if (token === '!') return { js: `!${primary().js}`, type: 'bool' }
    if (token === '-') return wrap(`-${primary().js}`, 'i32')
    if (/^\d/.test(token)) return { js: token.replace('u', ''), type: token.endsWith('u') ? 'u32' : 'int' }
    let value: Typed = isNext('(') ? call(token, list(')')) : { js: token, type: typeOf(token) }
    for (;;) {
      if (isNext('.')) {
        const member = next()
        value = { js: `${value.js}.${member}`, type: members[member] ?? 'u32' }
      } else if (isNext('[')) {
        const { js } = expression()
        expect(']')
        value = value.type.includes('vec4')
          ? { js: `vec4(${value.js}, ${js})`, type: 'vec4' }
          : { js: `${value.js}[${js}]`, type: 'u32' }
      } else return value
    }
  }

  function expression(level = 0): Typed {
    if (level === precedence.length) return primary()
    let left = expression(level + 1)
    while (precedence[level]!.includes(peek())) {
      const operator = next()
      const right = expression(level + 1)
      const both = left.type === 'int' ? right.type : left.type
      const type = both === 'int' ? 'i32' : both
      if (level === 0 || level === 1 || level === 5 || level === 6)
        left = { js: `(${left.js} ${operator.replace(/^[=!]=$/, '$&=')} ${right.js})`, type: 'bool' }
      else if (operator === '*') left = wrap(`Math.imul(${left.js}, ${right.js})`, type)
      else if (operator === '>>' && type === 'u32') left = wrap(`${left.js} >>> ${right.js}`, type)
      else left = wrap(`${left.js} ${operator} ${right.js}`, type)
    }
    return left
  }

  function block(): string {
    expect('{')
    scopes.push(new Map())
    let body = ''
    while (!isNext('}')) body += statement()
    scopes.pop()
    return `{${body}}\n`
  }

  /** An assignment or a declaration, without what ends it. */
  function simple(): string {
    if (isNext('let') || isNext('var')) {
      const name = next()
      if (isNext(':')) {
        const [, length] = /array<u32,(\d+)>/.exec(skipTo(';'))!
        at--
        declare(name, 'array')
        return `const ${name} = new Uint32Array(${length})`
      }
      expect('=')
      const { js, type } = expression()
      declare(name, type === 'int' ? 'i32' : type)
      return `let ${name} = ${js}`
    }
    const target = primary()
    expect('=')
    return `${target.js} = ${expression().js}`
  }

  function statement(): string {
    if (isNext('return')) {
      const value = peek() === ';' ? '' : expression().js
      expect(';')
      return `return ${value};\n`
    }
    if (isNext('if')) return `if (${expression().js}) ${block()}`
    if (isNext('for')) {
      expect('(')
      scopes.push(new Map())
      const start = simple()
      expect(';')
      const condition = expression().js
      expect(';')
      const step = simple()
      expect(')')
      const loop = `for (${start}; ${condition}; ${step}) ${block()}`
      scopes.pop()
      return loop
    }
    if (isNext('switch')) {
      let cases = `switch (${expression().js}) {`
      expect('{')
      while (!isNext('}')) {
        if (isNext('case')) cases += `case ${next().replace('u', '')}: `
        else {
          expect('default')
          cases += 'default: '
        }
        expect(':')
        cases += `${block()} break;`
      }
      return `${cases}}\n`
    }
    const line = simple()
    expect(';')
    return `${line};\n`
  }

  function item(): string {
    const token = next()
    if (token === 'const') {
      at--
      tokens[at] = 'let'
      const line = simple()
      expect(';')
      return `${line};\n`
    }
    if (token === 'struct') {
      skipTo('}')
      return ''
    }
    if (token === 'var') {
      skipTo('>')
      const name = next()
      declare(name, skipTo(';'))
      return `const ${name} = buffers.${name};\n`
    }
    if (token !== 'fn') return ''
    const name = next()
    expect('(')
    scopes.push(new Map())
    const parameters: string[] = []
    while (!isNext(')')) {
      if (isNext('@')) skipTo(')')
      const parameter = next()
      expect(':')
      const from = at
      while (![',', ')'].includes(peek())) at++
      declare(parameter, tokens.slice(from, at).join(''))
      isNext(',')
      parameters.push(parameter)
    }
    if (isNext('->')) at++
    const text = `function ${name}(${parameters.join()}) ${block()}`
    scopes.pop()
    return text
  }

  let script =
    "'use strict';\nconst vec4 = (a, k) => ({ x: a[4 * k], y: a[4 * k + 1], z: a[4 * k + 2], w: a[4 * k + 3] });\n"
  while (at < tokens.length) {
    if (isNext('@')) {
      next()
      if (isNext('(')) skipTo(')')
    } else script += item()
  }
  // oxlint-disable-next-line no-new-func -- the text comes from the shader of this package
  return new Function('buffers', `${script}return main;`) as Shader
}
