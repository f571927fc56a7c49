// What is asked of a hub, by https://huggingface.co/docs/hub/api: the commit of a revision, and the tree of a commit by pages.

/** Gives the address that answers with the commit (`sha`) that a branch, tag or commit stands for now. */
export const commitUrl = (endpoint: string, id: string, revision: string): string =>
  `${endpoint}/api/models/${id}/revision/${escaped(revision)}?expand=sha`

/** Gives the address of the list of what is at the top level of a commit, or of all that is inside one of its folders. */
export const treeUrl = (endpoint: string, id: string, commit: string, folder?: string): string =>
  `${endpoint}/api/models/${id}/tree/${commit}${folder === undefined ? '' : `/${escapedPath(folder)}?recursive=true`}`

/** Gives the address of a file of a commit. */
export const fileUrl = (endpoint: string, id: string, commit: string, file: string): string =>
  `${endpoint}/${id}/resolve/${commit}/${escapedPath(file)}`

const escapedPath = (path: string): string => path.split('/').map(escaped).join('/')

/** Half of a surrogate pair has no bytes in UTF-8: what stands for it names nothing that a hub has. */
const escaped = (text: string): string => encodeURIComponent(text.replaceAll(/\p{Cs}/gu, '\ufffd'))

/**
 * Gives the address of the page that follows one, of the header `link` of its answer (RFC 8288).
 * @returns undefined on the last page, and where the header names nothing that can be asked for
 */
export function nextPageUrl(link: string | null, page: string): string | undefined {
  for (const part of (link ?? '').split('<').slice(1)) {
    const end = part.indexOf('>')
    if (end < 0 || !part.slice(end).split(/[;,]/).some(isNext)) continue
    const address = part.slice(0, end)
    return URL.canParse(address, page) ? webAddress(new URL(address, page)) : undefined
  }
  return undefined
}

/** Whether a parameter is `rel="next"`, perhaps among others. */
function isNext(parameter: string): boolean {
  const [name, value = ''] = parameter.split('=')
  return name!.trim().toLowerCase() === 'rel' && value.replaceAll('"', ' ').trim().split(/\s+/).includes('next')
}

const webAddress = ({ protocol, href }: URL): string | undefined => (/^https?:$/.test(protocol) ? href : undefined)
