/**
 * Changes one to `most` places of some bytes.
 * @param {import('../random.mjs').Random} random @param {Uint8Array} bytes
 */
export function mutateBytes(random, bytes, most = 6) {
  let result = Buffer.from(bytes)
  const randomBytes = () => Buffer.from(Array.from({ length: 1 + random.below(8) }, () => random.below(256)))
  for (let count = 1 + random.below(most); count > 0 && result.length > 0; count--) {
    const at = random.below(result.length)
    const before = result.subarray(0, at)
    const after = result.subarray(at)
    switch (random.pick(['bit', 'byte', 'end', 'cut', 'insert', 'copy', 'fill', 'number'])) {
      case 'bit':
        result[at] ^= 1 << random.below(8)
        break
      case 'byte':
        result[at] = random.below(256)
        break
      case 'end':
        result = Buffer.from(before)
        break
      case 'cut':
        result = Buffer.concat([before, after.subarray(1 + random.below(8))])
        break
      case 'insert':
        result = Buffer.concat([before, randomBytes(), after])
        break
      case 'copy': {
        const from = random.below(result.length)
        result = Buffer.concat([before, result.subarray(from, from + random.below(64)), after])
        break
      }
      case 'fill':
        result.fill(random.pick([0, 255]), at, Math.min(result.length, at + random.pick([1, 2, 4, 8])))
        break
      case 'number':
        if (at + 8 <= result.length)
          result.writeBigUInt64LE(BigInt(random.pick([0, 1, 255, 65536])) << random.pick([0n, 40n]), at)
        break
    }
  }
  return result
}
