/** Tells whether a text can be the id of a repository, `org/name` or an old one without `org`; such an id is also safe in a path. */
export const isHubId = (text: string): boolean =>
  /^[\w.-]+(\/[\w.-]+)?$/.test(text) && !/\.\.|--|^[.-]|\/[.-]/.test(text)
