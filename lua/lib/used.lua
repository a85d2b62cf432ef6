-- Notes that a session is used: by an idle limit's new end, which tells when that was; without such a limit by a field.
local function used(s)
  if s.idle then
    s.idle_end = S.now + s.idle
    redis.call('HSET', S.base .. 'session:' .. s.id, 'terms', write_terms(s))
    warn_after(s, S.now)
  else
    s.active = int(S.now)
    redis.call('HSET', S.base .. 'session:' .. s.id, 'active', s.active)
  end
end
