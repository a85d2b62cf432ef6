-- Warns the holder of a session of an end that comes near, by an event; once for each approach.
local function warn(id)
  local set = S.base .. 'warnings'
  local since = tonumber(redis.call('ZSCORE', set, id))
  local s = session_now(id)
  if not s or s.state ~= 'ready' or not since then
    redis.call('ZREM', set, id)
    return
  end
  local cap, idle = warned_from(s)
  local function tell(from, reason, ends)
    if from and from >= since and from <= S.now then
      event('session.warning', 'session', id, 'owner', s.owner, 'container', s.container, 'reason', reason,
        'left_ms', int(math.max(0, ends - S.now)))
    end
  end
  tell(cap, 'max_duration', tonumber(s.cap))
  tell(idle, 'idle', s.idle_end)
  warn_after(s, S.now)
end
