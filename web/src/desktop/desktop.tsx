/** A desktop, what may be done with it, and how it stands. */
import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { Viewer, type Pass, type Sight } from './viewer'

/** Gives the pass that the desktop is opened by: each time that it is, another one or the same. */
type Bring = () => Promise<Pass>

export default function Desktop({ name, bring, children }: { name: string; bring: Bring; children?: ComponentChildren }) {
  const screen = useRef<HTMLDivElement>(null)
  const tools = useRef<HTMLDivElement>(null)
  const viewer = useRef<Viewer | null>(null)
  const [sight, setSight] = useState<Sight>({ state: 'connecting' })
  const [viewOnly, setViewOnly] = useState(true)
  const [round, setRound] = useState(0)

  useEffect(() => {
    let gone = false
    setSight({ state: 'connecting' })
    bring().then(
      (pass) => {
        if (gone || !screen.current) return
        setViewOnly(pass.viewOnly)
        viewer.current = new Viewer(screen.current, pass, setSight)
      },
      (error: Error) => !gone && setSight({ state: 'over', why: `${error.message}.`, again: true }),
    )
    return () => {
      gone = true
      viewer.current?.close()
      viewer.current = null
    }
  }, [bring, round])

  useEffect(() => {
    if (sight.state === 'shown' && !viewOnly) viewer.current?.focus()
  }, [sight.state, viewOnly])

  /** The desktop takes every key, Tab too: this one leads out. */
  const leaves = (event: KeyboardEvent) => {
    if (!(event.ctrlKey && event.altKey && event.shiftKey && event.code === 'KeyL')) return
    event.preventDefault()
    event.stopPropagation()
    tools.current?.querySelector<HTMLElement>('button, a')?.focus()
  }

  return (
    <section class="desktop" aria-label={name}>
      <div class="bulk" ref={tools} role="group" aria-label="The desktop">
        <span role="status">{words(sight, viewOnly)}</span>
        {sight.state === 'shown' && !viewOnly && (
          <button type="button" onClick={() => viewer.current?.ctrlAltDel()}>
            Ctrl Alt Del
          </button>
        )}
        {sight.state === 'shown' && (
          <button type="button" onClick={() => void screen.current?.requestFullscreen()}>
            Full screen
          </button>
        )}
        {sight.state === 'over' && sight.again && (
          <button type="button" onClick={() => setRound(round + 1)}>
            Open again
          </button>
        )}
        {children}
      </div>
      {sight.state === 'password' && <Password give={(password) => viewer.current?.password(password)} />}
      <div class="screen" ref={screen} onKeyDownCapture={leaves} data-state={sight.state} />
      {!viewOnly && <p class="muted">The desktop takes every key while it has the focus; Ctrl+Alt+Shift+L leads back to this page.</p>}
    </section>
  )
}

function words(sight: Sight, viewOnly: boolean): string {
  switch (sight.state) {
    case 'connecting':
      return sight.why ? `${sight.why} …` : 'Connecting …'
    case 'password':
      return 'The desktop asks for its VNC password.'
    case 'shown':
      return viewOnly ? 'You watch: what you type and point at does not reach it.' : 'You drive.'
    case 'over':
      return sight.why
  }
}

function Password({ give }: { give: (password: string) => void }) {
  const [typed, setTyped] = useState('')
  const submit = (event: Event) => {
    event.preventDefault()
    give(typed)
  }
  return (
    <form class="filters" onSubmit={submit}>
      <label>
        VNC password
        <input type="password" autocomplete="off" value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />
      </label>
      <button type="submit" class="primary">
        Open
      </button>
    </form>
  )
}
