import { CheckpointError } from '../errors.ts'

/** Whether what is sent there could be read by others. */
export function isReadOnTheWay(endpoint: string): boolean {
  const { protocol, hostname } = new URL(endpoint)
  return protocol === 'http:' && !isThisMachine(hostname)
}

const isThisMachine = (hostname: string): boolean => /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)

/** Parses the address of a hub, without a slash at the end. @throws CheckpointError `hub-endpoint` */
export function parseEndpoint(text: string): string {
  const refuse = (problem: string): never => {
    throw new CheckpointError({ code: 'hub-endpoint', problem })
  }
  if (!URL.canParse(text)) return refuse('is no URL')
  const url = new URL(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return refuse('is no web address')
  if (url.username !== '' || url.password !== '') return refuse('holds a password')
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '')
}
