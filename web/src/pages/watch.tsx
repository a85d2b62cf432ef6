/** The desktop of a session by a link, without a key: `#/watch/<session>/<pass>`. */
import { useCallback } from 'preact/hooks'
import Desktop from '../desktop/desktop'
import { route } from '../router'

export default function Watch() {
  const [session = '', pass = ''] = route.value.rest
  const bring = useCallback(async () => ({ session, pass, viewOnly: true }), [session, pass])
  return (
    <main class="watch">
      <h1>Leasehold</h1>
      <Desktop name={`The desktop of the session ${session}`} bring={bring} />
    </main>
  )
}
