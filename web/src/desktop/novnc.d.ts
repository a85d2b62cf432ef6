/** As much of noVNC as is used. */
declare module '@novnc/novnc' {
  export default class RFB extends EventTarget {
    constructor(target: HTMLElement, channel: WebSocket, options?: { shared?: boolean })
    viewOnly: boolean
    scaleViewport: boolean
    focusOnClick: boolean
    background: string
    focus(options?: FocusOptions): void
    blur(): void
    disconnect(): void
    sendCredentials(credentials: { password: string }): void
    sendCtrlAltDel(): void
  }
}
