const bytesAtOnce = 2 ** 12

/**
 * Makes a character of each byte, the one whose number it is. `TextDecoder` has no such encoding: what it calls latin1 is Windows-1252, in
 * which 0x80 to 0x9f are others (https://encoding.spec.whatwg.org/#names-and-labels), though Node 20 decodes it as ISO 8859-1.
 */
export function latin1Text(bytes: Uint8Array): string {
  let text = ''
  for (let start = 0; start < bytes.length; start += bytesAtOnce)
    text += String.fromCharCode(...bytes.subarray(start, start + bytesAtOnce))
  return text
}
