/** Requests to the server that the page came from, with the key of this tab. */
import type { ContainerList, Container, Explanation, Me, Pass, PoolStatus, Problem, Session, TypeBody, TypeHistory, TypeInfo } from './types'

/** Items on a page of a list: the most that a server allows unless configured otherwise; then as many as it gives by itself. */
let page: number | null = 1000
const KEY = 'leasehold-key'

/** What the server, or the way to it, refused. `status` is 0 where nobody answered. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
  ) {
    super(detail)
  }
}

/** The key is kept for this tab alone, and only while it is open. */
export const key = {
  read: () => sessionStorage.getItem(KEY),
  keep: (value: string) => sessionStorage.setItem(KEY, value),
  forget: () => sessionStorage.removeItem(KEY),
}

interface Ask {
  method?: string
  body?: unknown
  headers?: Record<string, string>
  signal?: AbortSignal
}

/** The address of a path of the API, wherever a proxy may have put it. */
export const address = (path: string) => new URL(path.replace(/^\//, ''), document.baseURI.split('#')[0]).href

/** Asks, and gives the answer when it is a good one. */
export async function ask(path: string, { method = 'GET', body, headers = {}, signal }: Ask = {}): Promise<Response> {
  const given = key.read()
  const init: RequestInit = { method, signal: signal ?? null, cache: 'no-store', credentials: 'omit', headers: { ...headers } }
  const sent = init.headers as Record<string, string>
  if (given) sent['X-API-Key'] = given
  if (body !== undefined) {
    sent['Content-Type'] = 'application/json'
    init.body = JSON.stringify(body)
  }
  let answer: Response
  try {
    answer = await fetch(address(path), init)
  } catch (error) {
    if (signal?.aborted) throw error
    throw new Refused(0, 'unreachable', 'The server cannot be reached')
  }
  if (answer.ok) return answer
  throw await refusal(answer)
}

async function refusal(answer: Response): Promise<Refused> {
  const problem = (await answer.json().catch(() => null)) as Problem | null
  return new Refused(answer.status, problem?.code ?? 'http', problem?.detail ?? `The answer was ${answer.status}`)
}

async function json<T>(path: string, ask_: Ask = {}): Promise<T> {
  return (await (await ask(path, ask_)).json()) as T
}

const at = (id: string) => encodeURIComponent(id)

export const me = () => json<Me>('/me')
export const status = () => json<PoolStatus>('/containers/status')
export const types = () => json<TypeInfo[]>('/types')
export const explain = (type: string) => json<Explanation>(`/explain?target_type=${at(type)}`)
export const history = (type: string) => json<TypeHistory>(`/types/${at(type)}/history`)
export const container = (id: string) => json<Container>(`/containers/${at(id)}`)
export const changeType = (type: string, body: TypeBody) =>
  json<TypeInfo>(`/types/${at(type)}`, { method: 'PATCH', body })

export const cordon = (id: string) => json<Container>(`/containers/${at(id)}/cordon`, { method: 'POST' })
export const uncordon = (id: string) => json<Container>(`/containers/${at(id)}/uncordon`, { method: 'POST' })
export const drain = (id: string, seconds: number, force: boolean) =>
  json<Container>(`/containers/${at(id)}/drain`, { method: 'POST', body: { deadline_seconds: seconds, force } })
export const restart = (id: string, force: boolean) =>
  json<Container>(`/containers/${at(id)}/restart`, { method: 'POST', body: { force } })
export const quarantine = (id: string, seconds: number) =>
  json<Container>(`/containers/${at(id)}/quarantine`, { method: 'POST', body: { rest_seconds: seconds } })
export const unquarantine = (id: string) => json<Container>(`/containers/${at(id)}/quarantine`, { method: 'DELETE' })
export const endSession = (id: string) => json<Session>(`/sessions/${at(id)}`, { method: 'DELETE' })
/** A pass for one viewer, who comes within so many seconds. */
export const makePass = (id: string, view_only: boolean, expires_in?: number) =>
  json<Pass>(`/sessions/${at(id)}/passes`, { method: 'POST', body: { view_only, expires_in } })
export const endRecovery = (type: string) =>
  json<unknown>('/recovery', { method: 'POST', body: { target_type: type, assume_none: true } })

/** The first page of a list. */
async function first(path: string): Promise<Response> {
  if (page === null) return ask(path)
  try {
    return await ask(`${path}?limit=${page}`)
  } catch (error) {
    if (!(error instanceof Refused && error.status === 422)) throw error
    page = null
    return ask(path)
  }
}

/** All containers, page after page. */
export async function containers(): Promise<Container[]> {
  const all: Container[] = []
  let answer = await first('/containers')
  for (;;) {
    const { containers: some, next } = (await answer.json()) as ContainerList
    all.push(...some)
    if (!next) return all
    answer = await ask(`/containers?${page ? `limit=${page}&` : ''}cursor=${at(next)}`)
  }
}

/** All sessions that are not over, page after page. A list keeps nothing alive, as reading a single one would. */
export async function sessions(): Promise<Session[]> {
  const all: Session[] = []
  let answer = await first('/sessions')
  for (;;) {
    all.push(...((await answer.json()) as Session[]))
    const next = /<([^>]+)>;\s*rel="next"/.exec(answer.headers.get('Link') ?? '')?.[1]
    if (!next) return all
    answer = await ask(next)
  }
}
