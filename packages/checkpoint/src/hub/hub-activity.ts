/** What the client of the hub does while no weights arrive. Texts name no address with a signature, and no token. */
export type HubActivity =
  /** A question is on its way. */
  | (OfRequest & { readonly kind: 'asking' })
  /** A question failed for a reason that may pass, and is repeated. */
  | (OfRequest & {
      readonly kind: 'repeating'
      readonly reason: string
      readonly waitMs: number
      /** The attempt that comes next: 2 or more. */
      readonly attempt: number
      readonly attempts: number
    })
  /** The hub has told how long it will not answer. */
  | (OfRequest & { readonly kind: 'rate-limit'; readonly waitMs: number })
  /** Another process brings the same file. */
  | (OfRequest & { readonly kind: 'lock'; readonly pid: number; readonly host: string })
  /** Files that can't be read in part come whole, before anything can be planned. */
  | (OfRequest & { readonly kind: 'whole-files'; readonly byteCount: number })

interface OfRequest {
  readonly id: string
  /** A file, the list of files, a revision. */
  readonly what: string
}
