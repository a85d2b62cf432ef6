-- Offers a container that is available to the first live ticket, and wakes its replicas. Returns whether somebody took
-- it. A script ends at most 16 dead tickets on the way. Past them it leaves `S.more`, and whichever script is next
-- serves the line.
local function offer(f)
  if held(f) then
    return false
  end
  local queue = S.base .. 'queue'
  while true do
    local first = redis.call('ZRANGE', queue, 0, 0)[1]
    if not first then
      return false
    end
    local s = session_of(first)
    local dead = not s or s.state ~= 'queued' or overdue(s)
    if not dead then
      serve_ticket(s)
      local lease = grant(f, first)
      redis.call('ZADD', S.base .. 'offers', int(S.now + S.confirm_ms), first)
      due_at(S.now + S.confirm_ms)
      redis.call('HSET', S.base .. 'session:' .. first, 'state', 'offered', unpack(lease))
      event('session.offered', 'session', first, 'owner', s.owner, 'container', f.id, 'token', f.token)
      for channel in string.gmatch(s.replica or '', '[^,]+') do
        redis.call('PUBLISH', channel, first)
      end
      return true
    end
    if S.dead == 16 then
      S.more = true
      due_at(S.now)
      return false
    end
    S.dead = S.dead + 1
    if s and s.state == 'queued' then
      close(s, dead)
    else
      redis.call('ZREM', queue, first)
      redis.call('ZREM', S.base .. 'tickets', first)
    end
  end
end
