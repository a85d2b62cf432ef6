/** A desktop in an element of the page: noVNC on a WebSocket of the server, by a viewer pass. */
import RFB from '@novnc/novnc'
import { address } from '../api/client'

/** How it stands with it. */
export type Sight =
  | { state: 'connecting'; why?: string }
  | { state: 'shown' }
  | { state: 'password' }
  | { state: 'over'; why: string; again: boolean }

export interface Pass {
  session: string
  pass: string
  viewOnly: boolean
}

/** Tries after a replica went away, and the pause before each, in milliseconds. */
const TRIES = 20
const PAUSE = 700

/** What the server closes with. */
const LEASE = 4001
const REFUSED = 4003

/** By it the viewer comes back with its pass, also after the page was read again. It is kept in this tab. */
function secretOf(pass: string): string {
  const name = `leasehold-viewer-${pass.slice(-12)}`
  const known = sessionStorage.getItem(name)
  if (known) return known
  const made = [...crypto.getRandomValues(new Uint8Array(18))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  sessionStorage.setItem(name, made)
  return made
}

export class Viewer {
  private rfb: RFB | null = null
  private closed = false
  private seen = false
  private tries = 0
  private timer = 0

  constructor(
    private readonly target: HTMLElement,
    private readonly given: Pass,
    private readonly tell: (sight: Sight) => void,
  ) {
    this.open()
  }

  private open(): void {
    this.target.replaceChildren()
    const url = address(`/sessions/${encodeURIComponent(this.given.session)}/vnc`).replace(/^http/, 'ws')
    const socket = new WebSocket(url, ['binary', `leasehold.pass.${this.given.pass}`, `leasehold.viewer.${secretOf(this.given.pass)}`])
    socket.binaryType = 'arraybuffer'
    // noVNC tells of an end without its code.
    socket.addEventListener('close', ({ code, reason }) => this.ended(code, reason))
    const rfb = new RFB(this.target, socket, { shared: true })
    rfb.viewOnly = this.given.viewOnly
    rfb.scaleViewport = true
    rfb.background = 'transparent'
    rfb.addEventListener('connect', () => {
      this.seen = true
      this.tries = 0
      this.tell({ state: 'shown' })
    })
    rfb.addEventListener('credentialsrequired', () => this.tell({ state: 'password' }))
    this.rfb = rfb
  }

  private ended(code: number, reason: string): void {
    if (this.closed) return
    this.rfb = null
    if (code === LEASE) return this.tell({ state: 'over', why: 'The lease is over.', again: false })
    if (code === REFUSED) return this.tell({ state: 'over', why: `It cannot be shown: ${reason}.`, again: false })
    // 1012: the replica ends. 1006: it is gone, or refused; the browser does not tell which.
    if ((code === 1012 || code === 1006) && this.tries < (this.seen ? TRIES : 2)) {
      this.tries += 1
      this.tell({ state: 'connecting', why: this.seen ? 'The server went away; another one is asked' : undefined })
      this.timer = setTimeout(() => this.open(), PAUSE)
      return
    }
    const why = this.seen || code === 4002
      ? `The desktop is gone${reason ? `: ${reason}` : ''}.`
      : 'It was not let in: the pass was used already or has lapsed, the lease is over, or the desktop does not answer.'
    this.tell({ state: 'over', why, again: true })
  }

  password(password: string): void {
    this.rfb?.sendCredentials({ password })
    this.tell({ state: 'connecting' })
  }

  ctrlAltDel(): void {
    this.rfb?.sendCtrlAltDel()
  }

  focus(): void {
    this.rfb?.focus()
  }

  /** Lets it go. */
  close(): void {
    this.closed = true
    clearTimeout(this.timer)
    this.rfb?.disconnect()
    this.rfb = null
  }
}
