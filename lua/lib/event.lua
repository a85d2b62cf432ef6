-- Writes one event to the type's stream, under the id <epoch>-<sequence>: gapless within an epoch.
-- `...` are field and value in turn.
local function event(kind, ...)
  S.seq = S.seq + 1
  redis.call('HSET', KEYS[1], 'seq', int(S.seq))
  redis.call('XADD', S.base .. 'events', 'MAXLEN', '~', S.events_kept, int(S.epoch) .. '-' .. int(S.seq),
    'kind', kind, 'at', int(S.wall), ...)
end
