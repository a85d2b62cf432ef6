/** Server-sent events, read by `fetch`: an `EventSource` cannot send a key. And lines of JSON, for logs and figures. */

/** A block of an event stream. A sign of life has an id and nothing else. */
export interface Block {
  id: string | null
  data: string | null
  retry: number | null
}

/** Takes text as it comes, in whatever pieces, and gives whole blocks. */
export class Blocks {
  private rest = ''

  take(text: string): Block[] {
    const parts = (this.rest + text).replaceAll('\r\n', '\n').split('\n\n')
    this.rest = parts.pop() ?? ''
    return parts.map(block)
  }
}

function block(text: string): Block {
  const read: Block = { id: null, data: null, retry: null }
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':')
    if (colon < 1) continue
    const value = line.slice(colon + 1).replace(/^ /, '')
    switch (line.slice(0, colon)) {
      case 'id':
        read.id = value
        break
      case 'data':
        read.data = read.data === null ? value : `${read.data}\n${value}`
        break
      case 'retry':
        read.retry = Number(value) || null
        break
    }
  }
  return read
}

/** The pieces of an answer's text. It throws where nothing came for `patience` milliseconds. */
export async function* text(answer: Response, patience = Infinity): AsyncGenerator<string> {
  if (!answer.body) return
  const reader = answer.body.getReader()
  const decoder = new TextDecoder()
  try {
    for (;;) {
      const { done, value } = await within(reader.read(), patience)
      if (done) return
      yield decoder.decode(value, { stream: true })
    }
  } finally {
    reader.cancel().catch(() => undefined)
  }
}

/** The values of an answer that has one on each line. */
export async function* lines<T>(answer: Response): AsyncGenerator<T[]> {
  let rest = ''
  for await (const piece of text(answer)) {
    const parts = (rest + piece).split('\n')
    rest = parts.pop() ?? ''
    const values = parts.filter((line) => line !== '').map((line) => JSON.parse(line) as T)
    if (values.length) yield values
  }
}

function within<T>(work: Promise<T>, patience: number): Promise<T> {
  if (patience === Infinity) return work
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('silence')), patience)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
