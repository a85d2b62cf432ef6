/** What stands around every page: navigation, who is here, and how the connection is. */
import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { now } from './live/clock'
import { leave, link, login, me } from './live/store'
import { Login } from './pages/login'
import { Confirmation, Said } from './parts/confirm'
import { route } from './router'
import { theme, type Theme } from './theme'

type Page = () => Promise<{ default: ComponentType }>

/** The pages, each read when it is first wanted. */
const PAGES: Record<string, { title: string; load: Page }> = {
  pool: { title: 'Pool', load: () => import('./pages/pool') },
  containers: { title: 'Containers', load: () => import('./pages/containers') },
  sessions: { title: 'Sessions', load: () => import('./pages/sessions') },
  line: { title: 'Line', load: () => import('./pages/line') },
  events: { title: 'Events', load: () => import('./pages/events') },
  types: { title: 'Types', load: () => import('./pages/types') },
}

/** What a link shows to somebody without a key. */
const WATCH = { title: '', load: () => import('./pages/watch') }
const DESKTOP = { title: 'Desktop', load: () => import('./pages/desktop') }

/** The page of the address; a session's desktop is one of its own. */
function wanted() {
  const { page, rest } = route.value
  return page === 'sessions' && rest[1] === 'desktop' ? DESKTOP : PAGES[page]
}

export function App() {
  const { page } = route.value
  const shown = wanted()
  const title = `${shown && login.value === null ? `${shown.title} – ` : ''}Leasehold${link.value.state === 'lost' ? ' (no connection)' : ''}`
  useEffect(() => {
    document.title = title
  }, [title])
  if (page === 'watch') return <Shown {...WATCH} />
  if (login.value !== null) return <Login />
  return (
    <>
      <a class="skip" href="#main" onClick={toMain}>
        To the content
      </a>
      <Header />
      <Connection />
      <main id="main" tabIndex={-1}>
        {!me.value ? null : shown ? <Shown key={shown.title} {...shown} /> : <p>There is no page “{page}”.</p>}
      </main>
      <Confirmation />
      <Said />
    </>
  )
}

function toMain(event: MouseEvent) {
  event.preventDefault()
  document.getElementById('main')?.focus()
}

function Header() {
  return (
    <header class="top">
      <span class="brand">Leasehold</span>
      <nav aria-label="Pages">
        {Object.entries(PAGES).map(([name, { title }]) => (
          <a key={name} href={`#/${name}`} aria-current={route.value.page === name ? 'page' : undefined}>
            {title}
          </a>
        ))}
      </nav>
      <span class="spring" />
      <LinkState />
      <label class="theme">
        <span class="hidden">Colours</span>
        <select value={theme.value} onChange={(event) => (theme.value = event.currentTarget.value as Theme)}>
          <option value="auto">As the system</option>
          <option value="light">Light</option>
          <option value="dark">Dark</option>
        </select>
      </label>
      {me.value && (
        <span class="me" title={`API key ${me.value.key}`}>
          {me.value.owner} <small>({me.value.role})</small>
        </span>
      )}
      {me.value?.auth_required && (
        <button type="button" onClick={() => leave()}>
          Log out
        </button>
      )}
    </header>
  )
}

const WORDS = { connecting: 'Connecting', live: 'Live', lost: 'No connection' }

function LinkState() {
  const { state } = link.value
  return (
    <span class={`link ${state}`} role="status">
      {WORDS[state]}
    </span>
  )
}

function Connection() {
  const lost = link.value
  if (lost.state !== 'lost') return null
  const seconds = Math.max(0, Math.round((now.value - lost.since) / 1000))
  return (
    <p class="banner" role="alert">
      <strong>What is shown may be old:</strong> {lost.why}. <span aria-hidden="true">Trying again, for {seconds} s now.</span>
    </p>
  )
}

function Shown({ title, load }: { title: string; load: Page }) {
  const [Content, setContent] = useState<ComponentType | null>(null)
  const [failed, setFailed] = useState(false)
  useEffect(() => {
    load().then(
      (module) => setContent(() => module.default),
      () => setFailed(true),
    )
  }, [load])
  return (
    <>
      {title && <h1>{title}</h1>}
      {Content ? (
        <Content />
      ) : failed ? (
        <p role="alert">
          This page could not be read: the server may be another version by now.{' '}
          <button type="button" onClick={() => location.reload()}>
            Load it again
          </button>
        </p>
      ) : (
        <p>Reading …</p>
      )}
    </>
  )
}
