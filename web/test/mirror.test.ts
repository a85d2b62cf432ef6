import { expect, test } from 'vitest'
import type { Event } from '../src/api/types'
import { Mirror } from '../src/live/mirror'

interface Item {
  id: string
  count: number
}
const event = (count: number) => ({ id: `t:1-${count}`, data: { container: 'a', count } }) as unknown as Event
const fold = (items: Map<string, Item>, { data }: Event) => items.set('a', { id: 'a', count: data.count as number }) !== undefined

/** A mirror whose answers come when the test says so. */
function mirrored() {
  const answers: ((items: Item[]) => void)[] = []
  const mirror = new Mirror<Item>(() => new Promise((resolve) => answers.push(resolve)), fold)
  return { mirror, answer: (count: number) => answers.shift()?.([{ id: 'a', count }]) }
}

test('what happens while a list is read stays, though the answer is older', async () => {
  const { mirror, answer } = mirrored()
  const read = mirror.read()
  mirror.take(event(2))
  answer(1)
  await read
  expect(mirror.items.get('a')?.count).toBe(2)
})

test('what happens while a single one is read stays too', async () => {
  const { mirror, answer } = mirrored()
  const read = mirror.read()
  answer(1)
  await read
  let tell: (item: Item) => void = () => undefined
  const one = mirror.readOne('a', () => new Promise((resolve) => (tell = resolve)))
  mirror.take(event(3))
  tell({ id: 'a', count: 1 })
  await one
  expect(mirror.items.get('a')?.count).toBe(3)
  await mirror.readOne('a', () => Promise.resolve(null))
  expect(mirror.items.size).toBe(0)
})
