const float = new Float32Array(1)
const word = new Uint32Array(float.buffer)

/** The bits of a number as a float32. */
export function bitsOf(value: number): number {
  float[0] = value
  return word[0]!
}
