-- Writes one event to the type's stream, under the id <epoch>-<sequence>: gapless within an epoch. With it goes what else is
-- to be written into the type's record (`S.pending`: field and value in turn).
-- `...` are field and value in turn.
local function event(kind, ...)
  S.seq = S.seq + 1
  if S.pending then
    redis.call('HSET', KEYS[1], 'seq', int(S.seq), unpack(S.pending))
    S.pending = nil
  else
    redis.call('HSET', KEYS[1], 'seq', int(S.seq))
  end
  redis.call('XADD', S.base .. 'events', 'MAXLEN', '~', S.events_kept, int(S.epoch) .. '-' .. int(S.seq),
    'kind', kind, 'at', int(S.wall), ...)
end
