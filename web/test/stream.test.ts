import { expect, test } from 'vitest'
import { Blocks } from '../src/api/stream'

test('a stream is read alike however it is cut into pieces', () => {
  const text = 'retry: 700\n: still here\nid: c0\n\nevent: session.ready\nid: c1\ndata: {"a":"x: y"}\n\n: still here\nid: c2\n\n'
  const whole = new Blocks().take(text)
  expect(whole).toEqual([
    { id: 'c0', data: null, retry: 700 },
    { id: 'c1', data: '{"a":"x: y"}', retry: null },
    { id: 'c2', data: null, retry: null },
  ])
  const pieces = new Blocks()
  expect([...text].flatMap((one) => pieces.take(one))).toEqual(whole)
  expect(pieces.take('id: c3\ndata: {}\n')).toEqual([])
})
