/** The desktop of a session, for whose it is and for admins: `#/sessions/<id>/desktop`. */
import { useCallback, useState } from 'preact/hooks'
import { makePass } from '../api/client'
import Desktop from '../desktop/desktop'
import { route, to } from '../router'

/** How long a link waits for its spectator, in seconds. */
const LINK_LIFE = 600

export default function SessionDesktop() {
  const session = route.value.rest[0] ?? ''
  const [viewOnly, setViewOnly] = useState(false)
  const bring = useCallback(async () => {
    const { pass, view_only } = await makePass(session, viewOnly)
    return { session, pass, viewOnly: view_only }
  }, [session, viewOnly])
  return (
    <Desktop name={`The desktop of the session ${session}`} bring={bring}>
      <label class="check">
        <input type="checkbox" checked={viewOnly} onChange={(event) => setViewOnly(event.currentTarget.checked)} />
        only watch
      </label>
      <Share session={session} />
      <a href={to('sessions')}>Sessions</a>
    </Desktop>
  )
}

/** A link by which one spectator watches, without a key. */
function Share({ session }: { session: string }) {
  const [link, setLink] = useState('')
  const [failed, setFailed] = useState('')
  const make = async () => {
    try {
      const { pass } = await makePass(session, true, LINK_LIFE)
      setLink(new URL(to('watch', session, pass), location.href).href)
      setFailed('')
    } catch (error) {
      setFailed((error as Error).message)
    }
  }
  return (
    <>
      <button type="button" onClick={() => void make()}>
        Link for a spectator
      </button>
      {link && (
        <label class="link-to-share">
          For one, to be opened within 10 minutes
          <input readOnly value={link} onFocus={(event) => event.currentTarget.select()} />
        </label>
      )}
      {failed && <span role="alert">{failed}</span>}
    </>
  )
}
