/** The key is asked for: it stays in this tab. */
import { useState } from 'preact/hooks'
import { key } from '../api/client'
import { begin, link, login } from '../live/store'

export function Login() {
  const [given, setGiven] = useState('')
  const [busy, setBusy] = useState(false)
  const submit = async (event: Event) => {
    event.preventDefault()
    if (!given.trim()) return
    key.keep(given.trim())
    setBusy(true)
    await begin()
    setBusy(false)
  }
  const trouble = link.value.state === 'lost' ? `${link.value.why}.` : login.value
  return (
    <main class="login">
      <h1>Leasehold</h1>
      <form onSubmit={submit}>
        <label for="key">API key</label>
        <input
          id="key"
          type="password"
          autocomplete="off"
          spellcheck={false}
          value={given}
          aria-describedby="about-key"
          aria-invalid={trouble ? true : undefined}
          onInput={(event) => setGiven(event.currentTarget.value)}
        />
        <button type="submit" class="primary" disabled={busy}>
          Log in
        </button>
        {trouble && <p role="alert">{trouble}</p>}
        <p id="about-key" class="muted">
          It is kept in this tab until it is closed, and sent to this server only. <code>leasehold key new</code> makes one.
        </p>
      </form>
    </main>
  )
}
