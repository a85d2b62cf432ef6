-- Notes that a ticket is served, and takes it out of the line: its owner's next one stands a step behind it, and the
-- line's virtual time goes on to it. Who has nothing to make up for any more is forgotten. Where the line stands then is
-- left for the next event to write: the largest base that was served, since when, and the last base of who had no claim to
-- a later one, in µs of the line's clock.
local function serve_ticket(s)
  local base = tonumber(redis.call('ZSCORE', S.base .. 'line:' .. s.owner, s.id))
  leave(s.id, s.owner)
  if not base then
    return
  end
  redis.call('ZADD', S.base .. 'fair', 'GT', int(base + s.step), s.owner)
  local served, joined = string.match(S.line or '', '^(%d+) %d+ (%d+)$')
  if base > (tonumber(served) or 0) then
    redis.call('ZREMRANGEBYSCORE', S.base .. 'fair', '-inf', int(base))
    S.line = table.concat({ int(base), int(S.us - (S.offset - S.lagged) * 1000), joined or '0' }, ' ')
    S.pending = { 'line', S.line }
  end
end
