// A viewer of a desktop by hand, in a page: what noVNC would not send to the bridge, this does.

/** One key after another, a stroke of the pointer's first button along a row, and the clipboard. */
export function input({ keys = '', row = 0, clipboard = '' }) {
  const key = (code) => [1, 0].flatMap((down) => [4, down, 0, 0, 0, 0, 0, code])
  const pointer = (buttons, x) => [5, buttons, x >> 8, x & 255, row >> 8, row & 255]
  const stroke = row ? [...Array.from({ length: 20 }, (_, at) => pointer(1, 200 + 4 * at)), pointer(0, 280)].flat() : []
  const text = [...clipboard].map((one) => one.charCodeAt(0))
  const cut = text.length ? [6, 0, 0, 0, 0, 0, 0, text.length, ...text] : []
  return [...[...keys].flatMap((one) => key(one.charCodeAt(0))), ...stroke, ...cut]
}

/**
 * Opens the session's desktop from this page by a pass, sends these bytes as they are, and looks at rows of the desktop before and after.
 * A desktop answers in order: what it shows afterwards has all that came before.
 */
export function sayByHand(page, { session, pass, viewer }, bytes, [top, height]) {
  return page.evaluate(
    async ({ session, pass, viewer, bytes, top, height }) => {
      const url = new URL(`sessions/${session}/vnc`, document.baseURI.split('#')[0]).href.replace(/^http/, 'ws')
      const socket = new WebSocket(url, ['binary', `leasehold.pass.${pass}`, ...(viewer ? [`leasehold.viewer.${viewer}`] : [])])
      socket.binaryType = 'arraybuffer'
      let heard = new Uint8Array()
      let wake = () => undefined
      let closed = ''
      socket.onmessage = ({ data }) => {
        const more = new Uint8Array(heard.length + data.byteLength)
        more.set(heard)
        more.set(new Uint8Array(data), heard.length)
        heard = more
        wake()
      }
      socket.onclose = ({ code, reason }) => {
        closed = `closed: ${code} ${reason}`
        wake()
      }
      const hear = async (count) => {
        while (heard.length < count) {
          if (closed) throw new Error(closed)
          await new Promise((resolve) => (wake = resolve))
        }
        const taken = heard.slice(0, count)
        heard = heard.slice(count)
        return new DataView(taken.buffer)
      }
      const say = (...some) => socket.send(new Uint8Array(some))

      // RFB 3.8 without a password, and shared.
      await hear(12)
      say(...new TextEncoder().encode('RFB 003.008\n'))
      await hear((await hear(1)).getUint8(0))
      say(1)
      await hear(4)
      say(1)
      const init = await hear(24)
      await hear(init.getUint32(20))
      const [width, pixel] = [init.getUint16(0), init.getUint8(4) / 8]

      /** The pixels of these rows, in one word; raw, for no encoding was asked for. */
      const look = async () => {
        say(3, 0, 0, 0, top >> 8, top & 255, width >> 8, width & 255, height >> 8, height & 255)
        let hash = 0
        const kind = (await hear(1)).getUint8(0)
        if (kind !== 0) throw new Error(`a message of the kind ${kind}`)
        const count = (await hear(3)).getUint16(1)
        for (let at = 0; at < count; at++) {
          const area = await hear(12)
          const data = await hear(area.getUint16(4) * area.getUint16(6) * pixel)
          for (let byte = 0; byte < data.byteLength; byte++) hash = (hash * 31 + data.getUint8(byte)) | 0
        }
        return hash
      }
      const before = await look()
      socket.send(new Uint8Array(bytes))
      const after = await look()
      socket.close()
      return { before, after }
    },
    { session, pass, viewer, bytes, top, height },
  )
}
