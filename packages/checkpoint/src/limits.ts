/** What a model's files may have at most; a file over a limit is one clear error, before it is read or where it is parsed. */
export const limits = {
  /** config.json, generation_config.json, adapter_config.json: kilobytes; lists of label names make some of megabytes. */
  documentBytes: 8 * 2 ** 20,
  /** As a header of safetensors has it. */
  indexBytes: 100_000_000,
  /** A page of the hub's list has a thousand files of some hundred bytes each. */
  hubAnswerBytes: 16 * 2 ** 20,
  /** As deep as Python's own parser goes. */
  jsonDepth: 1000,
  /** Longer lists than that of any document are none that a person or tool wrote as settings. */
  jsonValues: 500_000,
  /** Python refuses longer integers, too. */
  numberCharacters: 4300,
} as const
