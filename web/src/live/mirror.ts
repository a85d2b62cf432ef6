/** A list of the server, read once and kept in step by events. */
import { signal } from '@preact/signals'
import type { Event } from '../api/types'

/** Does work soon after it is asked for, never twice at a time, and the less often the longer it takes. */
export function soon(work: () => Promise<void>, pause: number): () => void {
  let wanted = false
  let busy = false
  let rest = pause
  const run = async () => {
    busy = true
    while (wanted) {
      await new Promise((resolve) => setTimeout(resolve, rest))
      wanted = false
      const began = performance.now()
      await work().catch(() => undefined)
      rest = Math.max(pause, 4 * (performance.now() - began))
    }
    busy = false
  }
  return () => {
    wanted = true
    if (!busy) void run()
  }
}

export class Mirror<T extends { id: string }> {
  /** By id. Whoever shows it reads `version` as well. */
  readonly items = new Map<string, T>()
  readonly version = signal(0)
  readonly loaded = signal(false)
  readonly failure = signal<string | null>(null)
  /** When the list was asked for last, by the clock of this page. */
  readAt = 0
  private pending: Event[] | null = null
  /** What happened since each single one was asked for. */
  private readonly asked = new Set<Event[]>()
  private again = false
  private drawn = false

  constructor(
    private readonly list: () => Promise<T[]>,
    private readonly fold: (items: Map<string, T>, event: Event) => boolean,
    /** What is kept though the list has it no more. */
    private readonly keep: (item: T) => boolean = () => false,
  ) {}

  /** Reads the list. What happens meanwhile is folded in once more afterwards, for it may be in the answer or not. */
  async read(): Promise<void> {
    if (this.pending) {
      this.again = true
      return
    }
    do {
      this.again = false
      this.pending = []
      const began = performance.now()
      try {
        const items = await this.list()
        const kept = [...this.items.values()].filter(this.keep)
        this.items.clear()
        for (const item of [...kept, ...items]) this.items.set(item.id, item)
        for (const event of this.pending) this.fold(this.items, event)
        this.readAt = began
        this.loaded.value = true
        this.failure.value = null
      } catch (error) {
        this.failure.value = error instanceof Error ? error.message : String(error)
      }
      this.pending = null
      this.changed()
    } while (this.again)
  }

  /** Reads one; null when it is gone. The answer may be older than what happens meanwhile, which is folded in once more. */
  async readOne(id: string, ask: () => Promise<T | null>): Promise<void> {
    const meanwhile: Event[] = []
    this.asked.add(meanwhile)
    try {
      const item = await ask()
      if (item) this.items.set(id, item)
      else this.items.delete(id)
      for (const event of meanwhile) if (event.data.container === id) this.fold(this.items, event)
    } finally {
      this.asked.delete(meanwhile)
    }
    this.changed()
  }

  take(event: Event): void {
    this.pending?.push(event)
    for (const meanwhile of this.asked) meanwhile.push(event)
    if (this.loaded.value && this.fold(this.items, event)) this.changed()
  }

  put(item: T): void {
    this.items.set(item.id, item)
    this.changed()
  }

  /** Shown at most five times a second, whatever happens. */
  changed(): void {
    if (this.drawn) return
    this.drawn = true
    setTimeout(() => {
      this.drawn = false
      this.version.value++
    }, 200)
  }

  clear(): void {
    this.items.clear()
    this.loaded.value = false
    this.changed()
  }
}
