const shown = 5

/** Lists tokens in a message, quoted, the first few and how many more. */
export const listTokens = (tokens: readonly string[]): string =>
  `${tokens
    .slice(0, shown)
    .map((token) => JSON.stringify(token))
    .join(', ')}${tokens.length > shown ? ` and ${tokens.length - shown} more` : ''}`
