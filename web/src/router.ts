/** Which page the address names: `#/containers/<id>?type=wine`. Paths belong to the API. */
import { signal } from '@preact/signals'

export interface Route {
  page: string
  /** What follows the page's name. */
  rest: string[]
  query: URLSearchParams
}

export function parse(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?')
  const [page = '', ...rest] = path.split('/').filter(Boolean).map(decode)
  return { page: page || 'pool', rest, query: new URLSearchParams(query) }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

export const route = signal(parse(location.hash))
addEventListener('hashchange', () => {
  route.value = parse(location.hash)
})

export const to = (...parts: string[]) => `#/${parts.map(encodeURIComponent).join('/')}`
export const go = (hash: string) => {
  location.hash = hash
}
